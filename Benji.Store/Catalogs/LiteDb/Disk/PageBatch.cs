using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Benji.Store.Catalogs.LiteDb.Disk;

/// <summary>The pages of the commit under way, each laid out as its entry in the group they become.</summary>
internal sealed class PageBatch(PagePool pool)
{
    private const int ChunkPages = 32;

    private readonly Dictionary<long, int> _slots = [];
    private readonly List<byte[]> _entries = [];
    private readonly byte[] _chunk = new byte[WalGroup.HeaderSize + (ChunkPages * WalGroup.EntrySize)];

    /// <summary>Pages in the batch.</summary>
    public int Count => _slots.Count;

    /// <summary>The positions of the pages, each with the index of its entry.</summary>
    public IEnumerable<KeyValuePair<long, int>> Slots => _slots;

    /// <summary>Puts a page in, in place of an earlier one of the same position.</summary>
    /// <exception cref="InvalidOperationException">The transaction is too large.</exception>
    public void Put(long position, ReadOnlySpan<byte> page)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_slots, position, out var isThere);
        if (!isThere)
        {
            slot = _entries.Count;
            if (slot == WalGroup.PagesMax)
            {
                throw new InvalidOperationException($"A transaction changes more than {WalGroup.PagesMax} pages.");
            }

            _entries.Add(pool.Rent());
            BinaryPrimitives.WriteInt64LittleEndian(_entries[slot], position);
        }

        page.CopyTo(_entries[slot].AsSpan(WalGroup.PositionSize));
    }

    /// <summary>Reads a page of the batch; false when it is not in it.</summary>
    public bool TryRead(long position, Span<byte> destination)
    {
        if (!_slots.TryGetValue(position, out var slot))
        {
            return false;
        }

        _entries[slot].AsSpan(WalGroup.PositionSize).CopyTo(destination);
        return true;
    }

    /// <summary>Writes the group to the log, unsynced.</summary>
    /// <param name="log">The log.</param>
    /// <param name="offset">Where the group starts.</param>
    /// <param name="hash">Computes the group's hash.</param>
    /// <param name="sequence">The group's number.</param>
    /// <param name="salt">Its salt.</param>
    /// <param name="chain">The hash of the group before; replaced by this one's.</param>
    /// <exception cref="IOException">Some of it is not written.</exception>
    public void WriteTo(ICatalogFile log, long offset, IWalHash hash, uint sequence, uint salt, Span<byte> chain)
    {
        // A batch whose writing failed may have left bytes in the hash.
        Span<byte> end = stackalloc byte[WalGroup.HashSize];
        hash.Finish(end);
        WalGroup.WriteHeader(_chunk, sequence, Count, salt);
        hash.Append(chain);
        var filled = WalGroup.HeaderSize;
        foreach (var entry in _entries)
        {
            if (filled + entry.Length > _chunk.Length)
            {
                Write(log, ref offset, hash, filled);
                filled = 0;
            }

            entry.CopyTo(_chunk, filled);
            filled += entry.Length;
        }

        hash.Append(_chunk.AsSpan(0, filled));
        hash.Finish(chain);

        // The last pages and the hash go in one write: a small commit is one write in all.
        chain.CopyTo(end);
        if (filled + end.Length > _chunk.Length)
        {
            log.Write(offset, _chunk.AsSpan(0, filled));
            log.Write(offset + filled, end);
            return;
        }

        end.CopyTo(_chunk.AsSpan(filled));
        log.Write(offset, _chunk.AsSpan(0, filled + end.Length));
    }

    /// <summary>Empties the batch.</summary>
    public void Clear()
    {
        _entries.ForEach(pool.Return);
        _entries.Clear();
        _slots.Clear();
    }

    private void Write(ICatalogFile log, ref long offset, IWalHash hash, int filled)
    {
        var part = _chunk.AsSpan(0, filled);
        hash.Append(part);
        log.Write(offset, part);
        offset += filled;
    }
}
