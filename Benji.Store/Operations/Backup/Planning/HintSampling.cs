using System.Security.Cryptography;
using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Operations.Running;
using Benji.Store.Sources;

namespace Benji.Store.Operations.Backup.Planning;

/// <summary>Compares a sample of the blocks that hints call unchanged with the source, before they are believed.</summary>
/// <remarks>The first few and as many random ones: at least 10 and a thousandth, at most <see cref="SampleMax"/>.</remarks>
internal sealed class HintSampling(
    StoreContext context, OpenedStore store, SourceReader reader, HintMap hints, BackupBase origin, BlockGeometry geometry)
{
    private const int SampleMin = 10;
    private const int SampleMax = 256;
    private const int PicksPerSample = 20;

    /// <summary>Reads the sample and refuses hints that one block contradicts.</summary>
    /// <exception cref="InputDataException">The source differs where the hints say that nothing changed.</exception>
    public async Task CheckAsync(BaseMap baseMap, CancellationToken cancellationToken)
    {
        var count = Math.Min(origin.Content!.Geometry.BlockCount, geometry.BlockCount);
        var size = (int)Math.Max(Math.Min(count, SampleMin), Math.Min(count / 1000, SampleMax));
        using var buffer = context.Pool.Rent(geometry.BlockSize);
        var picked = Pick(count, size).ToList();
        var entries = await baseMap.FindAsync(picked, cancellationToken);
        foreach (var (index, entry) in picked.Zip(entries))
        {
            if (entry.IsInvalid || entry.Length != geometry.BlockLength(index))
            {
                continue;
            }

            buffer.Resize(entry.Length);
            await reader.ReadFramesAsync(index, 0, buffer.Memory, cancellationToken);
            if (ComputeId(buffer.Span) != entry.Id)
            {
                throw new InputDataException(
                    $"The hints call bytes {index * geometry.BlockSize} to {(index * geometry.BlockSize) + entry.Length} " +
                    $"unchanged since {origin.Content.Name}, but the source differs there; nothing was stored. Make the hints " +
                    "anew against the snapshot of the base version, or back up without hints.");
            }
        }
    }

    private BlockId ComputeId(ReadOnlySpan<byte> content)
    {
        var hashes = new byte[BlockGeometry.FrameCount(content.Length) * Hash256.Size];
        store.Keys.Frames.HashFrames(content, hashes);
        return BlockIds.Compute(store.Keys, content.Length, hashes);
    }

    private IEnumerable<long> Pick(long count, int size)
    {
        var picked = new HashSet<long>();
        for (long index = 0; index < count && picked.Count < (size + 1) / 2; index++)
        {
            if (IsCalledUnchanged(index))
            {
                picked.Add(index);
            }
        }

        for (var pick = 0; pick < size * PicksPerSample && picked.Count < size; pick++)
        {
            var index = (long)(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) % (ulong)count);
            if (IsCalledUnchanged(index))
            {
                picked.Add(index);
            }
        }

        return picked.Order();
    }

    private bool IsCalledUnchanged(long index) =>
        !hints.Within(index * geometry.BlockSize, geometry.BlockLength(index)).Any();
}
