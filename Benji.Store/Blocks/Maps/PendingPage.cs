using System.Numerics;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Maps;

/// <summary>The entries of one page that a new map sets; the others are those of the base map's page.</summary>
/// <remarks>Not safe for concurrent calls.</remarks>
internal sealed class PendingPage
{
    private const int MaskBits = 64;

    private readonly byte[] _entries = new byte[BlockGeometry.PageSize];
    private readonly ulong[] _isSet = new ulong[BlockGeometry.PageEntries / MaskBits];

    /// <summary>Entries that are set.</summary>
    public int Count => _isSet.Sum(BitOperations.PopCount);

    /// <summary>Sets an entry; the last value wins.</summary>
    public void Set(int position, Hash256 entry)
    {
        MapPage.WriteEntry(_entries, position, entry);
        _isSet[position / MaskBits] |= 1UL << (position % MaskBits);
    }

    /// <summary>Makes the whole page: what is set over <paramref name="baseContent"/>, and zeros from
    /// <paramref name="entryCount"/> on.</summary>
    /// <param name="baseContent">The base map's page, or null for one of holes.</param>
    /// <param name="entryCount">Entries that the new map has in this page.</param>
    /// <returns>A new array of <see cref="BlockGeometry.PageSize"/> bytes.</returns>
    public byte[] Merge(byte[]? baseContent, int entryCount)
    {
        var merged = new byte[BlockGeometry.PageSize];
        var length = entryCount * Hash256.Size;
        baseContent?.AsSpan(0, length).CopyTo(merged);
        for (var position = 0; position < BlockGeometry.PageEntries; position++)
        {
            if ((_isSet[position / MaskBits] & (1UL << (position % MaskBits))) != 0)
            {
                Invariant.Holds(position < entryCount);
                var offset = position * Hash256.Size;
                _entries.AsSpan(offset, Hash256.Size).CopyTo(merged.AsSpan(offset));
            }
        }

        return merged;
    }
}
