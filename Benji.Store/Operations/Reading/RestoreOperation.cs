using System.Threading.Channels;
using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations.Running;
using Benji.Store.Sources;

namespace Benji.Store.Operations.Reading;

/// <summary>Writes a version to a target; what is damaged is zeros there and told, everything else is right.</summary>
/// <remarks>The version is leased for reading meanwhile. Straight path: docs/house.md, section 7.</remarks>
internal sealed class RestoreOperation(StoreContext context, RestoreRequest request, IOperationProgress progress)
{
    private long _bytesWritten;
    private long _bytesHole;

    /// <summary>Restores the version; the target is durable when this returns.</summary>
    /// <exception cref="NotFoundException">There is no such version.</exception>
    /// <exception cref="NotAllowedException">The target is of the store, or in one of its places.</exception>
    /// <exception cref="StorageException">The storage or the target failed.</exception>
    public async Task<RestoreResult> RunAsync(CancellationToken cancellationToken)
    {
        var began = context.Time.GetTimestamp();
        if (context.Sources.FindPath(request.Target) is { } path)
        {
            context.CheckTarget(path);
        }

        await using var reading = await ReadingHold.TakeAsync(
            context,
            transaction => VersionResolver.Resolve(transaction, request.Version),
            version => LeaseResource.Version(version.Id),
            "restore",
            cancellationToken);
        return await reading.RunAsync(token => RunAsync(reading, began, token), cancellationToken);
    }

    private async Task<RestoreResult> RunAsync(ReadingHold reading, long began, CancellationToken cancellationToken)
    {
        var version = reading.Version;
        var store = await context.Stores.OpenForReadingAsync(version.Storage, cancellationToken);
        using var blocks = new BlockStore(store);
        await ReadFirstHeaderAsync(version, store, blocks, cancellationToken);
        await using var target = context.Sources.OpenTarget(request.Target, version.Size, request.Force);
        Log.RestoreBegins(context.Logger, version.Name, version.Size, target.Description);
        progress.StartStage("restoring", version.Size, ProgressUnit.Bytes);

        var ledger = new DamageLedger(version.Geometry);
        await WorkerPool.RunAsync<PlacedBlock>(
            context.Settings.Workers,
            (writer, token) => DispatchAsync(version, store, target, writer, token),
            (reader, token) => WorkAsync(version, blocks, target, ledger, reader, token),
            cancellationToken);
        await target.FlushAsync(cancellationToken);
        var damage = await DescribeAsync(reading, store, ledger, cancellationToken);
        return new RestoreResult(version, _bytesWritten, _bytesHole, damage, context.Time.GetElapsedTime(began));
    }

    // A storage that gives no block is to be known before the target is touched.
    private async Task ReadFirstHeaderAsync(
        VersionRecord version, OpenedStore store, BlockStore blocks, CancellationToken cancellationToken)
    {
        var map = StorePages.OpenMap(context, store, version);
        await foreach (var run in map.ReadAsync(0, version.Geometry.BlockCount, cancellationToken))
        {
            var first = Array.FindIndex(run.Ids.ToArray(), id => !id.IsHole);
            if (first < 0)
            {
                continue;
            }

            try
            {
                var length = version.Geometry.BlockLength(run.FirstBlock + first);
                await blocks.ReadTableAsync(run.Ids.Span[first], length, cancellationToken);
            }
            catch (Exception fault) when (fault is CorruptDataException or NotFoundException)
            {
                // Damage, which is told when its turn comes.
            }

            return;
        }
    }

    private async Task DispatchAsync(
        VersionRecord version,
        OpenedStore store,
        ITarget target,
        ChannelWriter<PlacedBlock> writer,
        CancellationToken cancellationToken)
    {
        var geometry = version.Geometry;
        var map = StorePages.OpenMap(context, store, version);
        await foreach (var run in map.ReadAsync(0, geometry.BlockCount, cancellationToken))
        {
            if (run.IsHole)
            {
                await WriteHoleAsync(geometry, target, run.FirstBlock, run.Count, cancellationToken);
                continue;
            }

            for (var i = 0; i < run.Ids.Length; i++)
            {
                var block = new PlacedBlock(run.FirstBlock + i, run.Ids.Span[i]);
                if (block.Id.IsHole)
                {
                    await WriteHoleAsync(geometry, target, block.Index, 1, cancellationToken);
                }
                else
                {
                    await writer.WriteAsync(block, cancellationToken);
                }
            }
        }
    }

    private async Task WriteHoleAsync(
        BlockGeometry geometry, ITarget target, long firstBlock, long blockCount, CancellationToken cancellationToken)
    {
        var offset = firstBlock * geometry.BlockSize;
        var length = Math.Min(blockCount * geometry.BlockSize, geometry.Size - offset);
        if (!request.IsSparse && !target.IsZeroed)
        {
            await target.ZeroAsync(offset, length, cancellationToken);
        }

        Interlocked.Add(ref _bytesHole, length);
        progress.Advance(length);
    }

    private async Task WorkAsync(
        VersionRecord version,
        BlockStore blocks,
        ITarget target,
        DamageLedger ledger,
        ChannelReader<PlacedBlock> placed,
        CancellationToken cancellationToken)
    {
        var geometry = version.Geometry;
        using var buffer = context.Pool.Rent(geometry.BlockSize);
        await foreach (var (index, id) in placed.ReadAllAsync(cancellationToken))
        {
            buffer.Resize(geometry.BlockLength(index));
            var reading = await blocks.ReadBlockAsync(id, buffer.Length, buffer.Memory, cancellationToken);
            var damaged = reading.Damages;
            if (damaged.Count > 0)
            {
                ledger.Add(id, reading);
                Log.BlockDamaged(context.Logger, id, version.Name, damaged[0].Reason);
            }

            var areHolesWritten = (!request.IsSparse && !target.IsZeroed) || damaged.Count > 0;
            await WriteAsync(target, index * geometry.BlockSize, buffer, areHolesWritten, cancellationToken);
            progress.Advance(buffer.Length);
        }
    }

    // Where the target reads as zeros already, or holes are to be left alone, runs of frames of zeros are passed over.
    private async Task WriteAsync(
        ITarget target, long offset, BlockBuffer buffer, bool areHolesWritten, CancellationToken cancellationToken)
    {
        var frames = BlockGeometry.FrameCount(buffer.Length);
        var written = new FrameSet(frames);
        for (var frame = 0; frame < frames; frame++)
        {
            if (areHolesWritten || Slice(buffer, frame, 1).Span.ContainsAnyExcept((byte)0))
            {
                written.Add(frame);
            }
        }

        for (var at = 0; written.TryFindRun(at, out var first, out var count); at = first + count)
        {
            var content = Slice(buffer, first, count);
            await target.WriteAsync(offset + ((long)first * BlockGeometry.FrameSize), content, cancellationToken);
            Interlocked.Add(ref _bytesWritten, content.Length);
        }
    }

    private static Memory<byte> Slice(BlockBuffer buffer, int firstFrame, int count)
    {
        var start = firstFrame * BlockGeometry.FrameSize;
        return buffer.Memory[start..Math.Min(buffer.Length, start + (count * BlockGeometry.FrameSize))];
    }

    private async Task<IReadOnlyList<Damage>> DescribeAsync(
        ReadingHold reading, OpenedStore store, DamageLedger ledger, CancellationToken cancellationToken)
    {
        if (ledger.Blocks.Count == 0)
        {
            return [];
        }

        await reading.RequireAsync(cancellationToken);
        var version = reading.Version;
        var damage = await DamageReport.MakeAsync(StorePages.OpenMap(context, store, version), ledger, cancellationToken);
        await new DamageMarking(context, store).TryMarkAsync(version, ledger, cancellationToken);
        return damage;
    }
}
