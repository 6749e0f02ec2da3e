using System.Diagnostics.CodeAnalysis;
using Benji.Store.Blocks.Reading;
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

    private readonly OpenedStore _store;
    private readonly TableCache _tables = new(CachedFramesMax);
    private readonly HeaderReader _headers;
    private readonly FrameReader _frames;
    private readonly BlockSalvage _salvage;
    private readonly ContextPool<ReadScratch> _scratches;

    /// <summary>Reads from <paramref name="store"/>, which the caller keeps open.</summary>
    public BlockStore(OpenedStore store)
    {
        _store = store;
        _headers = new HeaderReader(store, _tables);
        _frames = new FrameReader(store, _headers);
        _salvage = new BlockSalvage(_headers, _frames);
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
            return (await _headers.OpenSoundAsync(id, blockLength, scratch, cancellationToken)).Table;
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
        var expected = HeaderReader.Expect(id, form, blockLength: null);
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
            var opened = await _headers.OpenAsync(id, blockLength, scratch, cancellationToken);
            await _frames.ReadAsync(
                opened, null, firstFrame, destination, damages: null, lenders: null, scratch, cancellationToken);
        }
        catch (Exception failure) when (failure is CorruptDataException or NotFoundException)
        {
            // The object may have been replaced since its header was read, or there is another that has the frames.
            await _salvage.ReadFramesAsync(id, blockLength, firstFrame, destination, scratch, cancellationToken);
        }
        finally
        {
            Return(scratch);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<BlockReading> ReadBlockAsync(
        BlockId id, int blockLength, Memory<byte> destination, CancellationToken cancellationToken)
    {
        Invariant.Holds(destination.Length == blockLength);
        var scratch = _scratches.Rent();
        try
        {
            var trailing = new List<FaultyObject>();
            var damages = await ReadWholeAsync(id, blockLength, destination, trailing, scratch, cancellationToken);
            return damages.Count == 0 ? trailing.Count == 0 ? BlockReading.Sound : new BlockReading([], trailing)
                : await _salvage.ReadBlockAsync(id, destination, damages, scratch, cancellationToken);
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

    /// <summary>Reads the object with one read and, for a delta, its lenders.</summary>
    /// <param name="id">The block.</param>
    /// <param name="blockLength">Its bytes.</param>
    /// <param name="destination">Receives the block.</param>
    /// <param name="trailing">Receives the object when bytes stand after its end, which are no loss but not ours.</param>
    /// <param name="scratch">Room for stored bytes.</param>
    /// <param name="cancellationToken">Stops before the next read.</param>
    private async ValueTask<DamageList> ReadWholeAsync(
        BlockId id,
        int blockLength,
        Memory<byte> destination,
        List<FaultyObject> trailing,
        ReadScratch scratch,
        CancellationToken cancellationToken)
    {
        var damages = new DamageList();
        var failing = new FaultyObject(id, null);
        using var bytes = _store.Pool.Rent(SealedHeader.ObjectLengthMax(blockLength) + 1);
        try
        {
            var (form, length) = await _headers.ReadEitherAsync(id, bytes.Memory, cancellationToken);
            failing = new FaultyObject(id, form);
            var objectBytes = bytes.Memory[..length];
            var opened = _store.Opener.OpenHeader(HeaderReader.Expect(id, form, blockLength), objectBytes.Span);
            await _frames.ReadAsync(
                opened, objectBytes, 0, destination, damages, lenders: null, scratch, cancellationToken);
            if (length > opened.Table.ObjectLength)
            {
                trailing.Add(failing);
            }
        }
        catch (Exception failure) when (failure is CorruptDataException or NotFoundException)
        {
            AddAll(id, blockLength, failure.Message, failing, damages);
            destination.Span.Clear();
        }

        return damages;
    }

    /// <summary>Adds every frame that is not known to be a hole.</summary>
    private void AddAll(BlockId id, int blockLength, string reason, FaultyObject failing, DamageList damages)
    {
        var table = _tables.TryFind(id, out var known) && known.Table.BlockLength == blockLength ? known.Table : null;
        for (var frame = 0; frame < BlockGeometry.FrameCount(blockLength); frame++)
        {
            if (table?.KindOf(frame) != FrameKind.Hole)
            {
                damages.Add(new FrameDamage(frame, reason, failing));
            }
        }
    }
}
