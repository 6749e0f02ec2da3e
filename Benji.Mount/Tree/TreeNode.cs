using System.Text;
using Benji.Store.Images;

namespace Benji.Mount.Tree;

/// <summary>One file, link or directory of the tree as it was at one time.</summary>
internal sealed class TreeNode
{
    private readonly Dictionary<string, TreeNode> _children = new(StringComparer.Ordinal);
    private TreeNode[]? _inOrder;

    private TreeNode(ulong id, NodeKind kind, string name, TreeNode? parent)
    {
        Id = id;
        Kind = kind;
        Name = name;
        NameBytes = Encoding.UTF8.GetBytes(name);
        Parent = parent ?? this;
    }

    /// <summary>Its number, for the kernel and for stat; below 2^63.</summary>
    public ulong Id { get; }

    /// <summary>What tells it from former nodes of its number.</summary>
    public ulong Generation { get; set; }

    /// <summary>What it is.</summary>
    public NodeKind Kind { get; }

    /// <summary>Its name in its directory; empty for the root.</summary>
    public string Name { get; }

    /// <summary>The name in UTF-8.</summary>
    public byte[] NameBytes { get; }

    /// <summary>Its directory; the root is its own.</summary>
    public TreeNode Parent { get; }

    /// <summary>The version or overlay; null for directories and links.</summary>
    public ImageEntry? Entry { get; private init; }

    /// <summary>Where a link leads, relative to its directory; empty for others.</summary>
    public byte[] Target { get; private init; } = [];

    /// <summary>When it was made or, for a directory, when its newest image was.</summary>
    public DateTimeOffset Date { get; private set; } = DateTimeOffset.UnixEpoch;

    /// <summary>Directories in it.</summary>
    public int DirectoryCount { get; private set; }

    /// <summary>What is in it, by ascending id.</summary>
    public ReadOnlySpan<TreeNode> Children => _inOrder ?? [.. _children.Values.OrderBy(child => child.Id)];

    /// <summary>Makes the root.</summary>
    public static TreeNode Root() => new(NodeIds.Root, NodeKind.Directory, "", parent: null);

    /// <summary>Finds a child by its name.</summary>
    public TreeNode? Find(string name) => _children.GetValueOrDefault(name);

    /// <summary>Adds a directory.</summary>
    public TreeNode AddDirectory(ulong id, string name)
    {
        DirectoryCount++;
        return Add(new TreeNode(id, NodeKind.Directory, name, this));
    }

    /// <summary>Adds a link.</summary>
    public TreeNode AddLink(ulong id, string name, string target, DateTimeOffset date) =>
        Add(new TreeNode(id, NodeKind.Link, name, this) { Target = Encoding.UTF8.GetBytes(target), Date = date });

    /// <summary>Adds a version or overlay.</summary>
    public TreeNode AddImage(ulong id, string name, ImageEntry entry)
    {
        var date = entry.Overlay?.Created ?? entry.Version.Date;
        for (var directory = this; ; directory = directory.Parent)
        {
            directory.Date = directory.Date < date ? date : directory.Date;
            if (directory.Parent == directory)
            {
                break;
            }
        }

        var kind = entry.Overlay is null ? NodeKind.Version : NodeKind.Overlay;
        return Add(new TreeNode(id, kind, name, this) { Entry = entry, Date = date });
    }

    /// <summary>Returns a copy that stands alone, and so does not keep the rest of its tree in memory.</summary>
    public TreeNode Detach() =>
        new(Id, Kind, Name, parent: null) { Generation = Generation, Entry = Entry, Target = Target, Date = Date };

    /// <summary>Puts the children in their order; nothing is added afterwards.</summary>
    public void Finish()
    {
        _inOrder = [.. _children.Values];
        Array.Sort(_inOrder, static (left, right) => left.Id.CompareTo(right.Id));
    }

    private TreeNode Add(TreeNode child)
    {
        _children.Add(child.Name, child);
        return child;
    }
}
