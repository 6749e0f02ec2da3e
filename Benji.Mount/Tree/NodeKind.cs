namespace Benji.Mount.Tree;

/// <summary>What a node of the tree is.</summary>
internal enum NodeKind
{
    /// <summary>The root, a volume, or a part of a volume's name.</summary>
    Directory,

    /// <summary>The link to the newest valid version of a volume.</summary>
    Link,

    /// <summary>A version: a file that never changes.</summary>
    Version,

    /// <summary>An overlay: a file that can be written.</summary>
    Overlay,
}
