using Benji.Store.Blocks.Sealing;
using Benji.Store.Images.Versions.Frames;
using Benji.Store.Model;

namespace Benji.Store.Images.Versions;

/// <summary>Reads a version at any byte: from frames in memory, or loading those that are missing.</summary>
/// <remarks>Safe for concurrent calls. A read of frames in memory allocates nothing.</remarks>
internal sealed class VersionReader(ImageBlocks source, LeafCache leaves, VersionRecord version)
{
    /// <summary>What one read has under way: its loads run side by side, and never push each other out.</summary>
    private const int WindowLength = 4 * 1024 * 1024;

    private readonly BlockGeometry _geometry = version.Geometry;

    /// <summary>As <see cref="IImage.TryRead"/>.</summary>
    public bool TryRead(long offset, int length, ImagePieces pieces)
    {
        Invariant.Holds(offset >= 0 && length > 0 && offset + length <= _geometry.Size && pieces.Count == 0);
        for (var (at, end) = (offset, offset + length); at < end;)
        {
            if (!leaves.TryFind(at / _geometry.BlockSize, out var block))
            {
                pieces.Clear();
                return false;
            }

            var part = FramePart.At(_geometry, at, end, block);
            if (!TryAdd(part, pieces))
            {
                pieces.Clear();
                return false;
            }

            at = part.End;
        }

        return true;
    }

    /// <summary>As <see cref="IImage.ReadAsync"/>.</summary>
    public async ValueTask ReadAsync(long offset, int length, ImagePieces pieces, CancellationToken cancellationToken)
    {
        Invariant.Holds(offset >= 0 && length > 0 && offset + length <= _geometry.Size && pieces.Count == 0);
        var parts = new List<FramePart>();
        try
        {
            for (var (at, end) = (offset, offset + length); at < end;)
            {
                var stop = Math.Min(end, at + WindowLength);
                await ReadWindowAsync(at, stop, parts, pieces, cancellationToken);
                at = stop;
            }
        }
        catch
        {
            pieces.Clear();
            throw;
        }
    }

    /// <summary>Loads a range as far as a quarter of the memory goes; damage is left for reads to find.</summary>
    /// <exception cref="StorageException">The storage failed, or did not answer.</exception>
    public async ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken)
    {
        var end = offset + Math.Min(length, source.Cache.BytesMax / 4);
        var parts = new List<FramePart>();
        try
        {
            for (var at = offset; at < end;)
            {
                var stop = Math.Min(end, at + WindowLength);
                await StartAsync(at, stop, parts, cancellationToken);
                foreach (var part in parts)
                {
                    await WaitAsync(part.Load, cancellationToken);
                }

                Release(parts);
                at = stop;
            }
        }
        catch (DamagedImageException)
        {
            // A damaged page of the map: the read that needs it tells.
        }
        finally
        {
            Release(parts);
        }
    }

    /// <summary>True when every frame of a range is in memory.</summary>
    public bool IsAtHand(long offset, long end)
    {
        while (offset < end)
        {
            if (!leaves.TryFind(offset / _geometry.BlockSize, out var block))
            {
                return false;
            }

            var part = FramePart.At(_geometry, offset, end, block);
            if (!block.IsHole && !source.Cache.Contains(part.Key) && !IsKnownHole(part))
            {
                return false;
            }

            offset = part.End;
        }

        return true;
    }

    private static void Release(List<FramePart> parts)
    {
        foreach (var part in parts)
        {
            part.Load?.Release();
        }

        parts.Clear();
    }

    private async ValueTask ReadWindowAsync(
        long offset, long end, List<FramePart> parts, ImagePieces pieces, CancellationToken cancellationToken)
    {
        try
        {
            await StartAsync(offset, end, parts, cancellationToken);
            foreach (var part in parts)
            {
                await AddAsync(part, pieces, cancellationToken);
            }
        }
        finally
        {
            Release(parts);
        }
    }

    // Notes the parts of a range, and starts to load those that are not in memory.
    private async ValueTask StartAsync(
        long offset, long end, List<FramePart> parts, CancellationToken cancellationToken)
    {
        while (offset < end)
        {
            var part = FramePart.At(_geometry, offset, end, await FindBlockAsync(offset, cancellationToken));
            var last = parts.Count > 0 ? parts[^1].Load : null;
            if (last is not null && last.Block == part.Block && part.Frame < last.EndFrame && part.Frame > last.FirstFrame)
            {
                last.Hold();
                part = part with { Load = last };
            }
            else if (!part.Block.IsHole && !source.Cache.Contains(part.Key) && !IsKnownHole(part))
            {
                part = part with { Load = Start(part, end) };
            }

            parts.Add(part);
            offset = part.End;
        }
    }

    private FrameLoad? Start(FramePart part, long end)
    {
        var blockStart = part.Offset / _geometry.BlockSize * _geometry.BlockSize;
        var wanted = Math.Min(end, blockStart + part.BlockLength) - blockStart;
        return source.Loader.Start(
            part.Block, part.BlockLength, part.Frame, BlockGeometry.FrameCount(checked((int)wanted)));
    }

    private async ValueTask<BlockId> FindBlockAsync(long offset, CancellationToken cancellationToken)
    {
        var blockIndex = offset / _geometry.BlockSize;
        if (leaves.TryFind(blockIndex, out var block))
        {
            return block;
        }

        try
        {
            return await leaves.LoadAsync(blockIndex, cancellationToken)
                .WaitAsync(ImageBlocks.Timeout, source.Time, cancellationToken);
        }
        catch (TimeoutException failure)
        {
            throw ImageBlocks.NotAnswered(source.Storage, failure);
        }
        catch (CorruptDataException failure)
        {
            throw new DamagedImageException($"The map of {version.Name} is damaged: {failure.Message}", offset, failure);
        }
    }

    private async ValueTask AddAsync(FramePart part, ImagePieces pieces, CancellationToken cancellationToken)
    {
        // What was in memory when the read began may have been pushed out since: then it is loaded like any other.
        while (part.Load is null)
        {
            if (TryAdd(part, pieces))
            {
                return;
            }

            part = part with { Load = Start(part, part.End) };
            if (part.Load is { } load)
            {
                using var held = new Held(load);
                await AddLoadedAsync(part, pieces, cancellationToken);
                return;
            }
        }

        await AddLoadedAsync(part, pieces, cancellationToken);
    }

    private async ValueTask AddLoadedAsync(FramePart part, ImagePieces pieces, CancellationToken cancellationToken)
    {
        await WaitAsync(part.Load, cancellationToken);
        try
        {
            Add(part, part.Load!.Take(part.Frame), pieces);
        }
        catch (Exception failure) when (failure is CorruptDataException or NotFoundException)
        {
            source.NoteDamage(part.Block, version.Name, failure.Message);
            throw new DamagedImageException(
                $"Block {part.Block} of {version.Name} is damaged: {failure.Message}", part.Offset, failure);
        }
    }

    private async ValueTask WaitAsync(FrameLoad? load, CancellationToken cancellationToken)
    {
        try
        {
            await (load?.Completion ?? Task.CompletedTask).WaitAsync(ImageBlocks.Timeout, source.Time, cancellationToken);
        }
        catch (TimeoutException failure)
        {
            throw ImageBlocks.NotAnswered(source.Storage, failure);
        }
    }

    private bool TryAdd(FramePart part, ImagePieces pieces)
    {
        if (part.Block.IsHole)
        {
            pieces.AddHole(part.Length);
            return true;
        }

        if (source.Cache.TryPin(part.Key, out var frame))
        {
            Add(part, frame, pieces);
            return true;
        }

        if (!IsKnownHole(part))
        {
            return false;
        }

        pieces.AddHole(part.Length);
        return true;
    }

    private static void Add(FramePart part, CachedFrame? frame, ImagePieces pieces)
    {
        if (frame is null)
        {
            pieces.AddHole(part.Length);
        }
        else
        {
            pieces.Add(frame.Memory.Slice(part.Start, part.Length), frame);
        }
    }

    private bool IsKnownHole(FramePart part) =>
        source.Blocks.TryFindTable(part.Block, out var table)
        && part.Frame < table.FrameCount
        && table.KindOf(part.Frame) == FrameKind.Hole;

    private readonly record struct Held(FrameLoad Load) : IDisposable
    {
        public void Dispose() => Load.Release();
    }
}
