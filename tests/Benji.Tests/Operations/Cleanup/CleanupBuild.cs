using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Model;
using Benji.Store.Operations.Backup;
using Benji.Store.Operations.Backup.Planning;
using Benji.Store.Operations.Running;

namespace Benji.Tests.Operations.Cleanup;

/// <summary>Builds a version of a <see cref="CleanupWorld"/> with the product's writer and map, block by block in several
/// lanes.</summary>
internal sealed class CleanupBuild(
    StoreContext context,
    OpenedStore store,
    BackupBase origin,
    IReadOnlySet<BlockId> invalid,
    BackupPublication publication,
    Random random)
{
    /// <summary>Stores blocks and pages.</summary>
    /// <param name="blockCount">Blocks in the version.</param>
    /// <param name="before">The contents of the base version.</param>
    /// <param name="contents">The contents of the new one.</param>
    /// <param name="laneCount">Lanes to share the blocks among.</param>
    /// <returns>What is to be published.</returns>
    public async Task<VersionRecord> RunAsync(
        long blockCount,
        SortedDictionary<long, int> before,
        SortedDictionary<long, int> contents,
        int laneCount)
    {
        var geometry = new BlockGeometry(blockCount * CleanupWorld.BlockSize, CleanupWorld.BlockSize);
        var pages = StorePages.Open(context, store, publication.Run);
        var baseMap = origin.Compare is { } compare ? new MapReader(pages, compare.Root, compare.Geometry) : null;
        var entries = new BaseMap(baseMap, baseMap?.Geometry, invalid);
        var map = new MapBuilder(pages, baseMap, geometry);
        using var reads = new BlockStore(store);
        var writer = new BlockWriter(store, context.Catalog, reads, publication.Run, context.Time);
        var lanes = Enumerable.Range(0, laneCount).Select(_ => writer.StartLane()).ToList();
        try
        {
            foreach (var index in Changed(before, contents, entries.HasInvalidBlocks, blockCount))
            {
                var entry = (await entries.FindAsync([index], CancellationToken.None))[0];
                var input = InputOf(before.GetValueOrDefault(index), contents.GetValueOrDefault(index), entry);
                var outcome = await lanes[random.Next(laneCount)].WriteAsync(input, CancellationToken.None);
                map.Set(index, outcome.Id);
            }

            foreach (var lane in lanes)
            {
                await lane.CompleteAsync(CancellationToken.None);
            }
        }
        finally
        {
            foreach (var lane in lanes)
            {
                await lane.DisposeAsync();
            }
        }

        return new VersionRecord
        {
            Id = publication.Id,
            Name = publication.Name,
            Date = publication.Date,
            Size = geometry.Size,
            BlockSize = geometry.BlockSize,
            Storage = origin.Storage,
            Root = await map.CompleteAsync(CancellationToken.None),
            AllocatedBytes = 0,
        };
    }

    // What differs from the base version; all blocks when some of those may be damaged.
    private static IEnumerable<long> Changed(
        SortedDictionary<long, int> before, SortedDictionary<long, int> contents, bool mayBeDamaged, long blockCount) =>
        before.Keys.Union(contents.Keys).Order().Where(index => index < blockCount
            && (mayBeDamaged || before.GetValueOrDefault(index) != contents.GetValueOrDefault(index)));

    // Half of the sources are read whole; the others know what changed and are asked for the rest when it is needed.
    private BlockInput InputOf(int before, int content, BaseEntry entry)
    {
        var bytes = CleanupWorld.BytesOf(content);
        var source = new Source(bytes);
        var isPartial = !entry.Id.IsHole && entry.Length == bytes.Length && !entry.IsInvalid && random.Next(2) == 0;
        var changed = FrameSet.All(CleanupWorld.Frames);
        var buffer = bytes.AsSpan().ToArray();
        if (isPartial)
        {
            changed = new FrameSet(CleanupWorld.Frames);
            buffer = Enumerable.Repeat((byte)0x5a, bytes.Length).ToArray();
            var old = CleanupWorld.BytesOf(before);
            foreach (var start in Enumerable.Range(0, CleanupWorld.Frames).Select(frame => frame * BlockGeometry.FrameSize))
            {
                if (old[start] != bytes[start])
                {
                    changed.Add(start / BlockGeometry.FrameSize);
                    bytes.AsSpan(start, BlockGeometry.FrameSize).CopyTo(buffer.AsSpan(start));
                }
            }
        }

        return new BlockInput(buffer, entry.Id, entry.Length, changed, source, !entry.IsInvalid);
    }

    private sealed class Source(byte[] content) : IFrameFiller
    {
        public ValueTask FillAsync(
            int firstFrame, int frameCount, Memory<byte> destination, CancellationToken cancellationToken)
        {
            content.AsMemory(firstFrame * BlockGeometry.FrameSize, destination.Length).CopyTo(destination);
            return ValueTask.CompletedTask;
        }
    }
}
