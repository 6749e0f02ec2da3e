namespace Benji.Testing.Storages;

/// <summary>A file or directory of a <see cref="SimulatedFileSystem"/>: a file when it has content.</summary>
/// <remarks>It knows what of it is durable, and what a crash may leave of the rest.</remarks>
internal sealed class SimulatedNode(byte[]? content)
{
    private const int SectorSize = 512;

    private readonly Dictionary<string, SimulatedNode> _durable = [];
    private readonly List<(string Name, SimulatedNode? Node)> _unsynced = [];

    public byte[]? Content { get; set; } = content;

    public bool IsSynced { get; set; }

    /// <summary>True while somebody writes over it.</summary>
    public bool IsTaken { get; set; }

    public Dictionary<string, SimulatedNode> Entries { get; } = [];

    public void Set(string name, SimulatedNode? node)
    {
        Put(Entries, name, node);
        _unsynced.Add((name, node));
    }

    public void Sync(Func<SimulatedNode?, bool> isSynced)
    {
        foreach (var (name, node) in _unsynced.Where(change => isSynced(change.Node)))
        {
            Put(_durable, name, node);
        }

        _unsynced.RemoveAll(change => isSynced(change.Node));
    }

    public void Crash(Random? random)
    {
        if (Content is not null)
        {
            Content = IsSynced ? Content : random is null ? [] : Tear(Content, random);
            (IsSynced, IsTaken) = (true, false);
            return;
        }

        // Of the changes to one name any first few have arrived, whatever did of the other names.
        foreach (var changes in _unsynced.GroupBy(change => change.Name))
        {
            foreach (var (name, node) in changes.Take(random?.Next(changes.Count() + 1) ?? 0))
            {
                Put(_durable, name, node);
            }
        }

        _unsynced.Clear();
        Entries.Clear();
        foreach (var (name, node) in _durable)
        {
            Entries.Add(name, node);
            node.Crash(random);
        }
    }

    private static void Put(Dictionary<string, SimulatedNode> entries, string name, SimulatedNode? node)
    {
        if (node is null)
        {
            entries.Remove(name);
        }
        else
        {
            entries[name] = node;
        }
    }

    private static byte[] Tear(byte[] content, Random random)
    {
        var torn = content[..(random.Next(3) == 0 ? content.Length : random.Next(content.Length + 1))];
        for (var start = 0; start < torn.Length; start += SectorSize)
        {
            if (random.Next(2) == 0)
            {
                torn.AsSpan(start, Math.Min(SectorSize, torn.Length - start)).Clear();
            }
        }

        return torn;
    }
}
