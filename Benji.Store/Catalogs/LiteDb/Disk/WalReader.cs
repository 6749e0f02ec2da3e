using System.Buffers;
using System.Buffers.Binary;

namespace Benji.Store.Catalogs.LiteDb.Disk;

/// <summary>Reads the groups of a log one after another and stops at the first that is not whole.</summary>
internal sealed class WalReader(ICatalogFile log, IWalHash hash)
{
    private const int ChunkPages = 32;

    /// <summary>Reads the group that starts at <paramref name="start"/>.</summary>
    /// <param name="start">Where the group before ended.</param>
    /// <param name="sequence">The number the group must have.</param>
    /// <param name="chain">The hash of the group before; replaced by this one's when the result is true.</param>
    /// <param name="pages">Receives each page's position in the database and the offset of its bytes in the log.</param>
    /// <returns>True for a whole group; its end is <paramref name="start"/> and <see cref="WalGroup.SizeOf"/>.</returns>
    /// <exception cref="IOException">The log cannot be read.</exception>
    public bool TryRead(long start, uint sequence, Span<byte> chain, List<(long Position, long Offset)> pages)
    {
        pages.Clear();
        Span<byte> header = stackalloc byte[WalGroup.HeaderSize];
        if (log.Read(start, header) < header.Length || !WalGroup.TryReadHeader(header, sequence, out var count))
        {
            return false;
        }

        hash.Append(chain);
        hash.Append(header);
        var isWhole = TryReadPages(start + WalGroup.HeaderSize, count, pages);
        Span<byte> expected = stackalloc byte[WalGroup.HashSize];
        hash.Finish(expected);
        Span<byte> found = stackalloc byte[WalGroup.HashSize];
        if (!isWhole
            || log.Read(start + WalGroup.SizeOf(count) - WalGroup.HashSize, found) < found.Length
            || !found.SequenceEqual(expected))
        {
            return false;
        }

        found.CopyTo(chain);
        return true;
    }

    /// <summary>True when another group follows the one at <paramref name="start"/>, which then was acknowledged once:
    /// a group is written only after the one before is durable.</summary>
    /// <exception cref="IOException">The log cannot be read.</exception>
    public bool IsFollowed(long start, uint sequence)
    {
        Span<byte> header = stackalloc byte[WalGroup.HeaderSize];
        return log.Read(start, header) == header.Length
            && WalGroup.TryReadHeader(header, sequence, out var count)
            && log.Read(start + WalGroup.SizeOf(count), header) == header.Length
            && WalGroup.TryReadHeader(header, sequence + 1, out _);
    }

    /// <summary>Reads bytes that are known to be in a log.</summary>
    /// <exception cref="IOException">They are not, or cannot be read.</exception>
    public static void ReadExactly(ICatalogFile log, long offset, Span<byte> destination)
    {
        var count = log.Read(offset, destination);
        if (count < destination.Length)
        {
            throw new IOException($"The catalog's log has {count} of {destination.Length} bytes at {offset}.");
        }
    }

    private bool TryReadPages(long offset, int count, List<(long Position, long Offset)> pages)
    {
        var rented = ArrayPool<byte>.Shared.Rent(Math.Min(count, ChunkPages) * WalGroup.EntrySize);
        try
        {
            for (var done = 0; done < count;)
            {
                var taken = Math.Min(count - done, ChunkPages);
                var chunk = rented.AsSpan(0, taken * WalGroup.EntrySize);
                if (log.Read(offset, chunk) < chunk.Length)
                {
                    return false;
                }

                hash.Append(chunk);
                for (var i = 0; i < taken; i++)
                {
                    var position = BinaryPrimitives.ReadInt64LittleEndian(chunk[(i * WalGroup.EntrySize)..]);
                    pages.Add((position, offset + (i * WalGroup.EntrySize) + WalGroup.PositionSize));
                }

                offset += chunk.Length;
                done += taken;
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
