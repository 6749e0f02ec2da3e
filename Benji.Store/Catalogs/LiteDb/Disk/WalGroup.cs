using System.Buffers.Binary;

namespace Benji.Store.Catalogs.LiteDb.Disk;

/// <summary>The layout of the log: groups of whole pages, one a commit, each chained to the one before by its hash.</summary>
/// <remarks>A group is the header [magic u32, sequence u32, pages u32, salt u32], then per page [position u64, 8192
/// bytes], then SHA-256 over (the hash before, header, pages); little-endian. Sequences run from 0 in an empty log and
/// the hash before the first is zeros. The salt is random in the first group and makes each life of the log another
/// chain; it is 0 in the others. Decision: docs/decisions/0002.</remarks>
internal static class WalGroup
{
    /// <summary>Bytes in a page of the database.</summary>
    public const int PageSize = 8192;

    /// <summary>Bytes before the pages.</summary>
    public const int HeaderSize = 16;

    /// <summary>Bytes of a page's position in the database.</summary>
    public const int PositionSize = 8;

    /// <summary>Bytes of one page with its position.</summary>
    public const int EntrySize = PositionSize + PageSize;

    /// <summary>Bytes behind the pages.</summary>
    public const int HashSize = 32;

    /// <summary>The most pages in one group, 128 MiB: a bound for writers and for what a reader believes.</summary>
    public const int PagesMax = 16 * 1024;

    private const uint Magic = 0x574A4E42;

    /// <summary>Returns the bytes of a whole group.</summary>
    public static long SizeOf(int pages) => HeaderSize + ((long)pages * EntrySize) + HashSize;

    /// <summary>Returns where a page's bytes start within a group.</summary>
    public static long PageOffset(int index) => HeaderSize + ((long)index * EntrySize) + PositionSize;

    /// <summary>Writes a header.</summary>
    public static void WriteHeader(Span<byte> destination, uint sequence, int pages, uint salt)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], (uint)pages);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], salt);
    }

    /// <summary>True when a file begins as a log does, or has fewer bytes than tell.</summary>
    public static bool StartsLikeOne(ReadOnlySpan<byte> head)
    {
        Span<byte> magic = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(magic, Magic);
        return head.Length >= magic.Length && head.StartsWith(magic);
    }

    /// <summary>Reads a header; false for anything but a header of that sequence with a believable count.</summary>
    public static bool TryReadHeader(ReadOnlySpan<byte> source, uint sequence, out int pages)
    {
        pages = 0;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(source[4..]) != sequence)
        {
            return false;
        }

        var count = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        pages = count is > 0 and <= PagesMax ? (int)count : 0;
        return pages > 0;
    }
}
