using System.Buffers.Binary;

namespace Benji.Store.Catalogs.LiteDb.Disk;

/// <summary>The pages of the commit under way, laid out as the group they become.</summary>
internal sealed class PageBatch
{
    private const int BytesKept = 256 * WalGroup.EntrySize;

    private readonly Dictionary<long, int> _slots = [];
    private byte[] _bytes = [];

    /// <summary>Pages in the batch.</summary>
    public int Count => _slots.Count;

    /// <summary>The positions of the pages, in the order of their entries.</summary>
    public IEnumerable<KeyValuePair<long, int>> Slots => _slots;

    /// <summary>Puts a page in, in place of an earlier one of the same position.</summary>
    /// <exception cref="InvalidOperationException">The transaction is too large.</exception>
    public void Put(long position, ReadOnlySpan<byte> page)
    {
        if (!_slots.TryGetValue(position, out var slot))
        {
            slot = _slots.Count;
            if (slot == WalGroup.PagesMax)
            {
                throw new InvalidOperationException($"A transaction changes more than {WalGroup.PagesMax} pages.");
            }

            var size = WalGroup.SizeOf(slot + 1);
            if (size > _bytes.Length)
            {
                Array.Resize(ref _bytes, (int)Math.Max(size, Math.Min(2L * _bytes.Length, Array.MaxLength)));
            }

            BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(WalGroup.EntryOffset(slot)), position);
            _slots.Add(position, slot);
        }

        page.CopyTo(_bytes.AsSpan(WalGroup.EntryOffset(slot) + 8));
    }

    /// <summary>Reads a page of the batch; false when it is not in it.</summary>
    public bool TryRead(long position, Span<byte> destination)
    {
        if (!_slots.TryGetValue(position, out var slot))
        {
            return false;
        }

        _bytes.AsSpan(WalGroup.EntryOffset(slot) + 8, WalGroup.PageSize).CopyTo(destination);
        return true;
    }

    /// <summary>Completes the group and returns its bytes, which live until the next call of any method.</summary>
    /// <param name="hash">Computes the group's hash.</param>
    /// <param name="sequence">The group's number.</param>
    /// <param name="salt">Its salt.</param>
    /// <param name="chain">The hash of the group before; not changed.</param>
    public ReadOnlySpan<byte> Seal(IWalHash hash, uint sequence, uint salt, ReadOnlySpan<byte> chain)
    {
        var group = _bytes.AsSpan(0, (int)WalGroup.SizeOf(Count));
        WalGroup.WriteHeader(group, sequence, Count, salt);
        hash.Append(chain);
        hash.Append(group[..^WalGroup.HashSize]);
        hash.Finish(group[^WalGroup.HashSize..]);
        return group;
    }

    /// <summary>Empties the batch.</summary>
    public void Clear()
    {
        _slots.Clear();
        if (_bytes.Length > BytesKept)
        {
            _bytes = [];
        }
    }
}
