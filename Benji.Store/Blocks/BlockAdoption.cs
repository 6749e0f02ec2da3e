using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Blocks;

/// <summary>Makes the catalog's row of a block out of its object alone: of its header, which is verified, not its
/// frames.</summary>
/// <remarks>Safe for concurrent calls; one or two ranged reads each.</remarks>
internal sealed class BlockAdoption(OpenedStore store)
{
    // The header of a block of 4 MiB with four lenders fits.
    private const int FirstRead = 4096;

    private readonly HeaderParser _parser = new(store.Keys, store.StoreId);

    /// <summary>Reads the header of a block's object.</summary>
    /// <param name="id">The block.</param>
    /// <param name="form">Which object of it.</param>
    /// <param name="storedLength">Bytes of the object, as the storage says.</param>
    /// <param name="since">When the row came to be.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>A row of a live, sound block.</returns>
    /// <exception cref="NotFoundException">There is no such object any more.</exception>
    /// <exception cref="CorruptDataException">The header is damaged, or the object is shorter or longer than it
    /// says.</exception>
    /// <exception cref="StorageException">It could not be read.</exception>
    public async Task<BlockRow> ReadAsync(
        BlockId id, BlockForm form, long storedLength, DateTimeOffset since, CancellationToken cancellationToken)
    {
        var name = ObjectNames.Block(id, form);
        var expected = new ExpectedObject(name, ObjectKind.Block, id.Hash, PlaintextLength: null, Form: form);
        using var buffer = store.Pool.Rent(FirstRead);
        var length = await store.Storage.ReadAsync(name, 0, buffer.Memory, cancellationToken);
        var stated = HeaderParser.StatedLength(buffer.Span[..length]);
        FrameTable table;
        if (stated <= length)
        {
            table = _parser.Parse(expected, buffer.Span[..length]).Table;
        }
        else
        {
            using var whole = store.Pool.Rent(stated);
            length = await store.Storage.ReadAsync(name, 0, whole.Memory, cancellationToken);
            table = _parser.Parse(expected, whole.Span[..length]).Table;
        }

        return table.ObjectLength == storedLength
            ? new BlockRow(
                id,
                store.Name,
                form,
                table.BlockLength,
                table.AllocatedBytes,
                storedLength,
                table.Lenders,
                IsInvalid: false,
                ReferenceState.Live,
                since)
            : throw new CorruptDataException(
                $"Object {name} has {storedLength} bytes, expected {table.ObjectLength} as its header says.");
    }
}
