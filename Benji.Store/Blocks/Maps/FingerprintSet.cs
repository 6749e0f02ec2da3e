using System.Buffers.Binary;
using System.Numerics;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Maps;

/// <summary>A bounded set of ids that keeps 8 or 16 bytes of each, by open addressing.</summary>
/// <remarks>Two ids that agree in those bytes count as one. With 8 of them, among three million ids, that happens once
/// in four million stores: good for asking "is it needed", where the wrong answer keeps an object too long. With 16 it
/// does not happen: good for "was it visited", where the wrong answer loses what hangs below. Not safe for concurrent
/// calls. </remarks>
internal sealed class FingerprintSet
{
    private const int SlotsMin = 1 << 12;
    private const ulong Spread = 0x9E3779B97F4A7C15;

    private readonly int _slotsMax;
    private readonly bool _isWide;
    private ulong[] _first;
    private ulong[] _second;
    private int _count;

    /// <summary>Creates an empty set.</summary>
    /// <param name="slotsMax">A power of two; the set holds four fifths of it at most.</param>
    /// <param name="isWide">True to keep 16 bytes of each id.</param>
    public FingerprintSet(int slotsMax, bool isWide)
    {
        Invariant.Holds(BitOperations.IsPow2(slotsMax));
        _slotsMax = slotsMax;
        _isWide = isWide;
        _first = new ulong[Math.Min(SlotsMin, _slotsMax)];
        _second = _isWide ? new ulong[_first.Length] : [];
    }

    /// <summary>Ids in the set.</summary>
    public int Count => _count;

    /// <summary>Forgets all ids, and keeps its memory for the next ones.</summary>
    public void Clear()
    {
        Array.Clear(_first);
        Array.Clear(_second);
        _count = 0;
    }

    /// <summary>True when the id, or one that looks like it, is in the set.</summary>
    public bool Contains(Hash256 id)
    {
        var (first, second) = Read(id);
        return _first[FindSlot(first, second)] != 0;
    }

    /// <summary>Adds an id.</summary>
    /// <param name="id">Any id but a hole's.</param>
    /// <param name="isNew">True when it was not in the set.</param>
    /// <returns>False when the set is full; it then holds what it held.</returns>
    public bool TryAdd(Hash256 id, out bool isNew)
    {
        var (first, second) = Read(id);
        var slot = FindSlot(first, second);
        isNew = _first[slot] == 0;
        if (!isNew)
        {
            return true;
        }

        if ((long)(_count + 1) * 5 > (long)_first.Length * 4)
        {
            if (_first.Length >= _slotsMax)
            {
                isNew = false;
                return false;
            }

            Grow();
            slot = FindSlot(first, second);
        }

        Fill(slot, first, second);
        return true;
    }

    // Zero marks a free slot, so that a first word of zero is kept as one.
    private (ulong First, ulong Second) Read(Hash256 id)
    {
        var first = Math.Max(1, id.Fingerprint);
        if (!_isWide)
        {
            return (first, 0);
        }

        Span<byte> bytes = stackalloc byte[Hash256.Size];
        id.CopyTo(bytes);
        return (first, BinaryPrimitives.ReadUInt64LittleEndian(bytes[sizeof(ulong)..]));
    }

    private int FindSlot(ulong first, ulong second)
    {
        // A partition's ids share their first bits; the product spreads them over all slots.
        var slot = (int)(unchecked(first * Spread) >> (64 - BitOperations.Log2((uint)_first.Length)));
        while (_first[slot] != 0 && (_first[slot] != first || (_isWide && _second[slot] != second)))
        {
            slot = (slot + 1) & (_first.Length - 1);
        }

        return slot;
    }

    private void Fill(int slot, ulong first, ulong second)
    {
        _first[slot] = first;
        if (_isWide)
        {
            _second[slot] = second;
        }

        _count++;
    }

    private void Grow()
    {
        var (first, second) = (_first, _second);
        _first = new ulong[first.Length * 2];
        _second = _isWide ? new ulong[_first.Length] : [];
        _count = 0;
        for (var i = 0; i < first.Length; i++)
        {
            if (first[i] != 0)
            {
                var other = _isWide ? second[i] : 0;
                Fill(FindSlot(first[i], other), first[i], other);
            }
        }
    }
}
