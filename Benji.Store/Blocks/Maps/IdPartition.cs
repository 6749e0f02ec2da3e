using System.Buffers.Binary;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Maps;

/// <summary>One of the equal ranges into which the space of ids is cut when not all of it fits in memory.</summary>
/// <param name="Bits">How many first bits of an id say in which range it is: 0 for one range of all.</param>
/// <param name="Index">The range's number in the order of ids.</param>
internal readonly record struct IdPartition(int Bits, uint Index)
{
    private const int BitsMax = 24;

    /// <summary>The one range of all ids.</summary>
    public static IdPartition All => default;

    /// <summary>True when no other range follows.</summary>
    public bool IsLast => Index == (1u << Bits) - 1;

    /// <summary>The range that follows.</summary>
    public IdPartition Next => this with { Index = Index + 1 };

    /// <summary>The first half of this range.</summary>
    public IdPartition Half
    {
        get
        {
            Invariant.Holds(Bits < BitsMax);
            return new(Bits + 1, Index * 2);
        }
    }

    /// <summary>The greatest id before the range, from which a listing by id goes on; null where it is the
    /// first.</summary>
    public Hash256? Before
    {
        get
        {
            if (Index == 0)
            {
                return null;
            }

            Span<byte> bytes = stackalloc byte[Hash256.Size];
            bytes.Fill(byte.MaxValue);
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (Index << (32 - Bits)) - 1);
            return new Hash256(bytes);
        }
    }

    /// <summary>True when an id lies in the range.</summary>
    public bool Contains(Hash256 id) =>
        Bits == 0 || (uint)(BinaryPrimitives.ReverseEndianness(id.Fingerprint) >> 32) >> (32 - Bits) == Index;
}
