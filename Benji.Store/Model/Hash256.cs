using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Benji.Store.Model;

/// <summary>A 256-bit hash value: four little-endian words, ordered as its bytes are.</summary>
/// <remarks>All zero bits is the value of a hole. Format: docs/format.md, "Hashes".</remarks>
public readonly record struct Hash256 : IComparable<Hash256>
{
    /// <summary>Bytes in a hash.</summary>
    public const int Size = 32;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    private readonly ulong _first;
    private readonly ulong _second;
    private readonly ulong _third;
    private readonly ulong _fourth;

    /// <summary>Reads a hash from the first 32 bytes of <paramref name="bytes"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 32 bytes.</exception>
    public Hash256(ReadOnlySpan<byte> bytes)
    {
        _first = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        _second = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
        _third = BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]);
        _fourth = BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]);
    }

    /// <summary>True for the 32 zero bytes that stand for a hole.</summary>
    public bool IsZero => (_first | _second | _third | _fourth) == 0;

    /// <summary>The first eight bytes as a number: an even spread for sets and partitions, as the hash is keyed.</summary>
    public ulong Fingerprint => _first;

    /// <summary>Writes the 32 bytes to the start of <paramref name="destination"/>.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination, _first);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[8..], _second);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[16..], _third);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[24..], _fourth);
    }

    /// <summary>Returns the 32 bytes in an array of their own.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>Parses 64 lower-case hexadecimal digits; anything else is refused.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Hash256 hash)
    {
        hash = default;
        if (text is null || text.Length != 2 * Size || text.AsSpan().ContainsAnyExcept(Digits))
        {
            return false;
        }

        hash = new Hash256(Convert.FromHexString(text));
        return true;
    }

    /// <summary>Orders by the bytes, first byte first, as names in a listing do.</summary>
    public int CompareTo(Hash256 other)
    {
        Span<byte> mine = stackalloc byte[Size];
        Span<byte> theirs = stackalloc byte[Size];
        CopyTo(mine);
        other.CopyTo(theirs);
        return mine.SequenceCompareTo(theirs);
    }

    /// <summary>Returns 64 lower-case hexadecimal digits.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    /// <summary>Orders by the bytes.</summary>
    public static bool operator <(Hash256 left, Hash256 right) => left.CompareTo(right) < 0;

    /// <summary>Orders by the bytes.</summary>
    public static bool operator >(Hash256 left, Hash256 right) => left.CompareTo(right) > 0;

    /// <summary>Orders by the bytes.</summary>
    public static bool operator <=(Hash256 left, Hash256 right) => left.CompareTo(right) <= 0;

    /// <summary>Orders by the bytes.</summary>
    public static bool operator >=(Hash256 left, Hash256 right) => left.CompareTo(right) >= 0;
}
