namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>The groups of block rows that the last transactions read or wrote, as they are now: who looks a block up records
/// it next.</summary>
/// <remarks>It lives with an engine and ends with it, and so holds for as long as that may keep pages: no other process has
/// committed since, and no transaction has failed. One thread at a time.</remarks>
internal sealed class BlockGroupCache
{
    /// <summary>Bytes of groups after which the next transaction starts without them.</summary>
    private const long BytesMax = 8 << 20;

    // What a group costs beside its bytes, and one that is not there costs too.
    private const int EntrySize = 64;

    private readonly Dictionary<int, byte[]?> _groups = [];
    private long _bytes;

    /// <summary>Takes a group as it is now, or null when there is none.</summary>
    public void Set(int key, byte[]? group)
    {
        _bytes += SizeOf(group) - (_groups.TryGetValue(key, out var old) ? SizeOf(old) : 0);
        _groups[key] = group;
    }

    /// <summary>True when it is known what a group is.</summary>
    public bool Knows(int key) => _groups.ContainsKey(key);

    /// <summary>A group that is known; null when it is known that there is none.</summary>
    public byte[]? Get(int key) => _groups[key];

    /// <summary>Bounds the memory, between transactions: what one of them has read stays for it.</summary>
    public void Trim()
    {
        if (_bytes > BytesMax)
        {
            _groups.Clear();
            _bytes = 0;
        }
    }

    private static long SizeOf(byte[]? group) => EntrySize + (group?.Length ?? 0);
}
