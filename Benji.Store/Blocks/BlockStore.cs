using System.Diagnostics.CodeAnalysis;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Transforms;

namespace Benji.Store.Blocks;

/// <summary>Reads stored blocks of one store and tries what fails once more with fresh headers.</summary>
/// <remarks>Safe for concurrent calls. Format: docs/format.md, "Sealed object".</remarks>
internal sealed class BlockStore : IBlockStore, IDisposable
{
    private const int CachedFramesMax = 64 * 1024;
    private const int HeaderProbe = 4096;

    private static readonly IReadOnlyList<FrameDamage> NoDamage = [];

    private readonly OpenedStore _store;
    private readonly TableCache _tables = new(CachedFramesMax);
    private readonly FrameReader _reader;
    private readonly ContextPool<ReadScratch> _scratches;

    /// <summary>Reads from <paramref name="store"/>, which the caller keeps open.</summary>
    public BlockStore(OpenedStore store)
    {
        _store = store;
        _reader = new FrameReader(store, _tables);
        _scratches = new ContextPool<ReadScratch>(() => new ReadScratch(store.Pool));
    }

    /// <inheritdoc/>
    public bool TryFindTable(BlockId id, [NotNullWhen(true)] out FrameTable? table)
    {
        table = _tables.TryFind(id, out var opened) ? opened.Table : null;
        return table is not null;
    }

    /// <inheritdoc/>
    public async ValueTask<FrameTable> ReadTableAsync(
        BlockId id, int blockLength, CancellationToken cancellationToken)
    {
        var scratch = _scratches.Rent();
        try
        {
            return (await _reader.OpenAsync(id, blockLength, mustBeFresh: false, scratch, cancellationToken)).Table;
        }
        finally
        {
            Return(scratch);
        }
    }

    /// <summary>Reads the table of one form of a block of any length, past the cache, as rebuild and scrub need it.</summary>
    /// <exception cref="NotFoundException">The storage does not hold the block in this form.</exception>
    /// <exception cref="CorruptDataException">Its header is damaged.</exception>
    public async ValueTask<FrameTable> ReadTableAsync(BlockId id, BlockForm form, CancellationToken cancellationToken)
    {
        var expected = FrameReader.Expect(id, form, blockLength: null);
        var scratch = _scratches.Rent();
        try
        {
            var probe = scratch.Stored(HeaderProbe);
            var length = await _store.Storage.ReadAsync(expected.Object, 0, probe, cancellationToken);
            var stated = HeaderParser.StatedLength(probe.Span[..length]);
            if (stated > probe.Length)
            {
                probe = scratch.Stored(stated);
                length = await _store.Storage.ReadAsync(expected.Object, 0, probe, cancellationToken);
            }

            return _store.Opener.OpenHeader(expected, probe.Span[..length]).Table;
        }
        finally
        {
            Return(scratch);
        }
    }

    /// <inheritdoc/>
    public async ValueTask ReadFramesAsync(
        BlockId id, int blockLength, int firstFrame, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var scratch = _scratches.Rent();
        try
        {
            await ReadFramesAsync(
                id, blockLength, firstFrame, destination, mustBeFresh: false, scratch, cancellationToken);
        }
        catch (Exception failure) when (failure is CorruptDataException or NotFoundException)
        {
            // The object may have been replaced since its header was read.
            await ReadFramesAsync(
                id, blockLength, firstFrame, destination, mustBeFresh: true, scratch, cancellationToken);
        }
        finally
        {
            Return(scratch);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<FrameDamage>> ReadBlockAsync(
        BlockId id, int blockLength, Memory<byte> destination, CancellationToken cancellationToken)
    {
        Invariant.Holds(destination.Length == blockLength);
        var scratch = _scratches.Rent();
        try
        {
            var damages = await ReadWholeAsync(id, blockLength, destination, scratch, cancellationToken);
            return damages.Count == 0 ? NoDamage
                : await RetryAsync(id, blockLength, destination, damages.Damages, scratch, cancellationToken);
        }
        finally
        {
            Return(scratch);
        }
    }

    /// <summary>Frees the memory that reads kept.</summary>
    public void Dispose() => _scratches.Dispose();

    private void Return(ReadScratch scratch)
    {
        scratch.Release();
        _scratches.Return(scratch);
    }

    private async ValueTask ReadFramesAsync(
        BlockId id, int blockLength, int firstFrame, Memory<byte> destination, bool mustBeFresh, ReadScratch scratch,
        CancellationToken cancellationToken)
    {
        var opened = await _reader.OpenAsync(id, blockLength, mustBeFresh, scratch, cancellationToken);
        await _reader.ReadAsync(
            opened, null, firstFrame, destination, damages: null, mustBeFresh, scratch, cancellationToken);
    }

    /// <summary>Reads the object with one read and, for a delta, its lenders.</summary>
    private async ValueTask<DamageList> ReadWholeAsync(
        BlockId id, int blockLength, Memory<byte> destination, ReadScratch scratch, CancellationToken cancellationToken)
    {
        var damages = new DamageList();
        using var bytes = _store.Pool.Rent(SealedHeader.ObjectLengthMax(blockLength));
        try
        {
            var (form, length) = await _reader.ReadEitherAsync(id, bytes.Memory, cancellationToken);
            var objectBytes = bytes.Memory[..length];
            var opened = _store.Opener.OpenHeader(FrameReader.Expect(id, form, blockLength), objectBytes.Span);
            await _reader.ReadAsync(
                opened, objectBytes, 0, destination, damages, mustBeFresh: false, scratch, cancellationToken);
        }
        catch (Exception failure) when (failure is CorruptDataException or NotFoundException)
        {
            AddAll(id, blockLength, failure.Message, damages);
            destination.Span.Clear();
        }

        return damages;
    }

    /// <summary>Adds every frame that is not known to be a hole.</summary>
    private void AddAll(BlockId id, int blockLength, string reason, DamageList damages)
    {
        var table = _tables.TryFind(id, out var known) && known.Table.BlockLength == blockLength ? known.Table : null;
        for (var frame = 0; frame < BlockGeometry.FrameCount(blockLength); frame++)
        {
            if (table?.KindOf(frame) != FrameKind.Hole)
            {
                damages.Add(frame, reason);
            }
        }
    }

    /// <summary>Reads damaged frames once more, with headers read anew.</summary>
    private async ValueTask<IReadOnlyList<FrameDamage>> RetryAsync(
        BlockId id, int blockLength, Memory<byte> destination, IReadOnlyList<FrameDamage> damages, ReadScratch scratch,
        CancellationToken cancellationToken)
    {
        var left = new DamageList();
        OpenedObject opened;
        try
        {
            opened = await _reader.OpenAsync(id, blockLength, mustBeFresh: true, scratch, cancellationToken);
        }
        catch (Exception failure) when (failure is CorruptDataException or NotFoundException)
        {
            return damages;
        }

        var frames = new FrameSet(opened.Table.FrameCount);
        foreach (var damage in damages)
        {
            frames.Add(damage.FrameIndex);
        }

        for (var from = 0; frames.TryFindRun(from, out var first, out var count); from = first + count)
        {
            var start = first * BlockGeometry.FrameSize;
            var end = Math.Min(blockLength, (first + count) * BlockGeometry.FrameSize);
            await _reader.ReadAsync(
                opened, null, first, destination[start..end], left, mustBeFresh: true, scratch, cancellationToken);
        }

        return left.Count == 0 ? NoDamage : left.Damages;
    }
}
