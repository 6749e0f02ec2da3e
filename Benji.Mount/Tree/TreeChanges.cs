namespace Benji.Mount.Tree;

/// <summary>What differs between two trees, in the order in which the kernel is to hear of it.</summary>
/// <param name="Removed">Nodes that are gone, the deepest first.</param>
/// <param name="Added">Nodes that are new, the highest first.</param>
internal sealed record TreeChanges(IReadOnlyList<TreeNode> Removed, IReadOnlyList<TreeNode> Added)
{
    /// <summary>No change.</summary>
    public static TreeChanges None { get; } = new([], []);

    /// <summary>True when the kernel may know anything, also of names that are in neither tree.</summary>
    public bool IsAnew { get; private init; }

    /// <summary>All of a tree, for a kernel that has been told of no change for some time.</summary>
    public static TreeChanges Anew(TreeSnapshot tree) =>
        new([], [.. tree.Nodes.Where(node => node.Parent != node).OrderBy(Depth)]) { IsAnew = true };

    /// <summary>Compares two trees.</summary>
    public static TreeChanges Between(TreeSnapshot before, TreeSnapshot after) => new(
        [.. Missing(before, after).OrderByDescending(Depth)],
        [.. Missing(after, before).OrderBy(Depth)]);

    /// <summary>The numbers of the directories whose names have changed and that were there before and are still.</summary>
    public IEnumerable<ulong> Directories() => IsAnew
        ? Added.Select(node => node.Parent.Id).Append(NodeIds.Root).Distinct()
        : Removed.Concat(Added).Select(node => node.Parent.Id).Distinct()
            .Except(Removed.Concat(Added).Select(node => node.Id));

    private static IEnumerable<TreeNode> Missing(TreeSnapshot here, TreeSnapshot there) =>
        here.Nodes.Where(node => there.Find(node.Id) is null);

    private static int Depth(TreeNode node) => node.Parent == node ? 0 : 1 + Depth(node.Parent);
}
