using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Storages;

namespace Benji.Store.Blocks.Reading;

/// <summary>Reads the headers of blocks from a storage, and finds which of their objects is there.</summary>
/// <remarks>Safe for concurrent calls with a scratch each. Format: docs/format.md, "Sealed object", "Delta block".</remarks>
/// <param name="store">The store.</param>
/// <param name="tables">Headers that were read.</param>
internal sealed class HeaderReader(OpenedStore store, TableCache tables)
{
    private const int ReadGrain = 4096;

    /// <summary>Returns a block's header, from the cache or else from its whole object, or from its delta where the whole one
    /// is missing.</summary>
    /// <exception cref="NotFoundException">The storage holds neither form of the block.</exception>
    /// <exception cref="CorruptDataException">The header is damaged.</exception>
    public async ValueTask<OpenedObject> OpenAsync(
        BlockId id, int blockLength, ReadScratch scratch, CancellationToken cancellationToken)
    {
        Invariant.Holds(!id.IsHole && blockLength is > 0 and <= BlockGeometry.BlockSizeMax);
        if (tables.TryFind(id, out var known))
        {
            return known.Table.BlockLength == blockLength ? known : throw new CorruptDataException(
                $"Block {id} has {known.Table.BlockLength} bytes, expected {blockLength}.");
        }

        return await TryOpenAsync(id, BlockForm.Whole, blockLength, scratch, cancellationToken)
            ?? await TryOpenAsync(id, BlockForm.Delta, blockLength, scratch, cancellationToken)
            ?? throw new NotFoundException($"Block {id} is missing: the storage holds no object of it.");
    }

    /// <summary>Returns the same, also where the whole object's header is damaged.</summary>
    /// <exception cref="NotFoundException">The storage holds neither form of the block.</exception>
    /// <exception cref="CorruptDataException">The header is damaged, and there is no sound delta.</exception>
    public async ValueTask<OpenedObject> OpenSoundAsync(
        BlockId id, int blockLength, ReadScratch scratch, CancellationToken cancellationToken)
    {
        try
        {
            return await OpenAsync(id, blockLength, scratch, cancellationToken);
        }
        catch (CorruptDataException)
        {
            if (await TryOpenInsteadAsync(id, blockLength, scratch, cancellationToken) is not { } opened)
            {
                throw;
            }

            return opened;
        }
    }

    /// <summary>Reads the header of one object of a block and keeps it in the cache.</summary>
    /// <returns>Null when there is no such object.</returns>
    /// <exception cref="CorruptDataException">The header is damaged.</exception>
    public async ValueTask<OpenedObject?> TryOpenAsync(
        BlockId id, BlockForm form, int blockLength, ReadScratch scratch, CancellationToken cancellationToken)
    {
        tables.Remove(id);
        var probe = scratch.Stored((SealedHeader.LengthMax(blockLength) + ReadGrain - 1) / ReadGrain * ReadGrain);
        int length;
        try
        {
            length = await ReadAsync(ObjectNames.Block(id, form), 0, probe, cancellationToken);
        }
        catch (NotFoundException)
        {
            return null;
        }

        var opened = store.Opener.OpenHeader(Expect(id, form, blockLength), probe.Span[..length]);
        tables.Put(id, opened);
        return opened;
    }

    /// <summary>Reads the start of a block's object: the whole one where both are there.</summary>
    /// <exception cref="NotFoundException">The storage holds neither form of the block.</exception>
    public async ValueTask<(BlockForm Form, int Length)> ReadEitherAsync(
        BlockId id, Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            var whole = ObjectNames.Block(id, BlockForm.Whole);
            return (BlockForm.Whole, await ReadAsync(whole, 0, destination, cancellationToken));
        }
        catch (NotFoundException)
        {
            var delta = ObjectNames.Block(id, BlockForm.Delta);
            return (BlockForm.Delta, await ReadAsync(delta, 0, destination, cancellationToken));
        }
    }

    /// <summary>Reads bytes of an object.</summary>
    /// <returns>How many there were.</returns>
    /// <exception cref="NotFoundException">There is no such object.</exception>
    /// <exception cref="CorruptDataException">Its bytes cannot be read, and those of others can.</exception>
    /// <exception cref="StorageException">The storage failed to read it.</exception>
    public ValueTask<int> ReadAsync(
        ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        store.Storage.ReadAsync(name, offset, destination, cancellationToken);

    /// <summary>Says what a block's object is expected to be.</summary>
    public static ExpectedObject Expect(BlockId id, BlockForm form, int? blockLength) =>
        new(ObjectNames.Block(id, form), ObjectKind.Block, id.Hash, blockLength, Form: form);

    // Null when there is no delta that could be read instead of a damaged whole object.
    private async ValueTask<OpenedObject?> TryOpenInsteadAsync(
        BlockId id, int blockLength, ReadScratch scratch, CancellationToken cancellationToken)
    {
        try
        {
            return await TryOpenAsync(id, BlockForm.Delta, blockLength, scratch, cancellationToken);
        }
        catch (CorruptDataException)
        {
            // The whole object's damage is what is told.
            return null;
        }
    }
}
