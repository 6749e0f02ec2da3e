using System.Threading.Channels;
using Benji.Store.Blocks;
using Benji.Store.Model;
using Benji.Store.Operations.Running;
using Benji.Store.Sources;

namespace Benji.Store.Operations.Reading;

/// <summary>Compares a version with a source byte for byte, block by block.</summary>
/// <remarks>A damaged block is compared as what could be read of it, its damaged frames as zeros.</remarks>
internal sealed class SourceComparison(
    StoreContext context, OpenedStore store, VersionRecord version, IOperationProgress progress)
{
    private readonly Lock _found = new();
    private readonly List<Extent> _differences = [];

    /// <summary>Compares.</summary>
    /// <returns>The ranges that differ, exact to the frame, in order; a source of another size differs behind the smaller.</returns>
    public async Task<IReadOnlyList<Extent>> RunAsync(string address, CancellationToken cancellationToken)
    {
        await using var source = context.Sources.OpenSource(address);
        using var blocks = new BlockStore(store);
        progress.StartStage("comparing", Math.Min(version.Size, source.Size), ProgressUnit.Bytes);
        await WorkerPool.RunAsync<PlacedBlock>(
            context.Settings.Workers,
            (writer, token) => DispatchAsync(source, writer, token),
            (reader, token) => WorkAsync(source, blocks, reader, token),
            cancellationToken);
        source.RequireSameSize();
        if (source.Size != version.Size)
        {
            var start = Math.Min(source.Size, version.Size);
            _differences.Add(new Extent(start, Math.Max(source.Size, version.Size) - start, ExtentKind.Data));
        }

        return Merge(_differences);
    }

    private static List<Extent> Merge(List<Extent> extents)
    {
        var merged = new List<Extent>();
        foreach (var extent in extents.OrderBy(extent => extent.Offset))
        {
            if (merged.Count > 0 && merged[^1].End >= extent.Offset)
            {
                merged[^1] = merged[^1] with { Length = Math.Max(merged[^1].End, extent.End) - merged[^1].Offset };
            }
            else
            {
                merged.Add(extent);
            }
        }

        return merged;
    }

    private async Task DispatchAsync(
        ISource source, ChannelWriter<PlacedBlock> writer, CancellationToken cancellationToken)
    {
        var map = StorePages.OpenMap(context, store, version);
        var compared = new BlockGeometry(Math.Min(source.Size, version.Size), version.BlockSize);
        await foreach (var run in map.ReadAsync(0, compared.BlockCount, cancellationToken))
        {
            if (run.IsHole)
            {
                await DispatchHolesAsync(source, run.FirstBlock, run.Count, writer, cancellationToken);
                continue;
            }

            for (var i = 0; i < run.Ids.Length; i++)
            {
                var id = run.Ids.Span[i];
                await (id.IsHole
                    ? DispatchHolesAsync(source, run.FirstBlock + i, 1, writer, cancellationToken)
                    : writer.WriteAsync(new PlacedBlock(run.FirstBlock + i, id), cancellationToken).AsTask());
            }
        }
    }

    // Where the source has a hole too both are zeros.
    private async Task DispatchHolesAsync(
        ISource source, long first, long count, ChannelWriter<PlacedBlock> writer, CancellationToken cancellationToken)
    {
        var (index, end) = (first, first + count);
        while (index < end)
        {
            var data = source.FindData(index * version.BlockSize);
            var next = data is { } found ? Math.Min(found.Offset / version.BlockSize, end) : end;
            Skip(index, next, source.Size);
            for (index = next; index < end && index * version.BlockSize < data!.Value.End; index++)
            {
                await writer.WriteAsync(new PlacedBlock(index, BlockId.Hole), cancellationToken);
            }
        }
    }

    private void Skip(long first, long end, long size)
    {
        if (end > first)
        {
            progress.Advance(Math.Min(end * version.BlockSize, Math.Min(size, version.Size)) - (first * version.BlockSize));
        }
    }

    private async Task WorkAsync(
        ISource source, BlockStore blocks, ChannelReader<PlacedBlock> placed, CancellationToken cancellationToken)
    {
        using var stored = context.Pool.Rent(version.BlockSize);
        using var read = context.Pool.Rent(version.BlockSize);
        await foreach (var (index, id) in placed.ReadAllAsync(cancellationToken))
        {
            var offset = index * version.BlockSize;
            var length = version.Geometry.BlockLength(index);
            stored.Resize(length);
            if (id.IsHole)
            {
                stored.Span.Clear();
            }
            else
            {
                await blocks.ReadBlockAsync(id, length, stored.Memory, cancellationToken);
            }

            read.Resize((int)Math.Clamp(source.Size - offset, 0, length));
            if (read.Length > 0)
            {
                await source.ReadAsync(offset, read.Memory, cancellationToken);
                Compare(offset, stored.Span[..read.Length], read.Span);
                source.Release(offset, read.Length);
            }

            progress.Advance(length);
        }
    }

    private void Compare(long offset, ReadOnlySpan<byte> stored, ReadOnlySpan<byte> read)
    {
        for (var at = 0; at < read.Length; at += BlockGeometry.FrameSize)
        {
            var length = Math.Min(BlockGeometry.FrameSize, read.Length - at);
            if (!stored.Slice(at, length).SequenceEqual(read.Slice(at, length)))
            {
                lock (_found)
                {
                    _differences.Add(new Extent(offset + at, length, ExtentKind.Data));
                }
            }
        }
    }
}
