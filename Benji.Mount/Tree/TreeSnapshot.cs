using Benji.Store.Images;
using Benji.Store.Model;

namespace Benji.Mount.Tree;

/// <summary>All files and directories as they were at one time; never changes.</summary>
internal sealed class TreeSnapshot
{
    private readonly Dictionary<ulong, TreeNode> _nodes = [];

    private readonly NodeIds _ids;

    private TreeSnapshot(IReadOnlyList<ImageEntry> entries, NodeIds ids) => (Entries, _ids) = (entries, ids);

    /// <summary>The images, by volume, then date, each version followed by its overlays.</summary>
    public IReadOnlyList<ImageEntry> Entries { get; }

    /// <summary>The root.</summary>
    public TreeNode Root { get; } = TreeNode.Root();

    /// <summary>All files, links and directories.</summary>
    public IReadOnlyCollection<TreeNode> Nodes => _nodes.Values;

    /// <summary>Bytes in all images.</summary>
    public long SizeSum { get; private set; }

    /// <summary>Builds the tree of a listing.</summary>
    public static TreeSnapshot Build(IReadOnlyList<ImageEntry> entries, NodeIds ids)
    {
        var snapshot = new TreeSnapshot(entries, ids);
        snapshot._nodes.Add(snapshot.Root.Id, snapshot.Root);
        var latest = new Dictionary<TreeNode, ImageEntry>();
        string? volume = null;
        var directory = snapshot.Root;
        foreach (var entry in entries)
        {
            if (entry.Version.Name.Volume != volume)
            {
                volume = entry.Version.Name.Volume;
                directory = snapshot.AddVolume(volume, ids);
            }

            snapshot.Add(directory.AddImage(ids.OfImage(entry.Id), FileNames.Of(entry), entry));
            snapshot.SizeSum += entry.Size;
            if (entry.Overlay is null && entry.Version.Status == VersionStatus.Valid)
            {
                latest[directory] = entry;
            }
        }

        foreach (var (home, entry) in latest)
        {
            var id = ids.OfPath($"/{entry.Version.Name.Volume}/{FileNames.Latest}");
            snapshot.Add(home.AddLink(id, FileNames.Latest, FileNames.Of(entry), entry.Version.Date));
        }

        foreach (var node in snapshot._nodes.Values)
        {
            node.Finish();
        }

        return snapshot;
    }

    /// <summary>Finds a node by its number; null when it is gone or never was.</summary>
    public TreeNode? Find(ulong id) => _nodes.GetValueOrDefault(id);

    private TreeNode AddVolume(string volume, NodeIds ids)
    {
        var directory = Root;
        var path = "";
        foreach (var part in volume.Split('/'))
        {
            path += $"/{part}";
            directory = directory.Find(part) ?? Add(directory.AddDirectory(ids.OfPath(path), part));
        }

        return directory;
    }

    private TreeNode Add(TreeNode node)
    {
        node.Generation = _ids.GenerationOf(node.Id);
        _nodes.Add(node.Id, node);
        return node;
    }
}
