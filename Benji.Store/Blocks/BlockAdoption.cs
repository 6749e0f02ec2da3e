using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Blocks;

/// <summary>Makes the catalog's row of a block out of its object alone: of its header, which is verified, not its
/// frames.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
internal sealed class BlockAdoption(OpenedStore store) : IDisposable
{
    private readonly BlockStore _blocks = new(store);

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
        var table = await _blocks.ReadTableAsync(id, form, cancellationToken);
        return table.ObjectLength == storedLength
            ? new BlockRow(
                id,
                store.Name,
                form,
                table.BlockLength,
                table.AllocatedBytes,
                storedLength,
                [.. table.Lenders.Select((lender, i) => new Loan(lender, table.BorrowedFrom(i)))],
                form == BlockForm.Delta ? table.OwnFrames() : null,
                IsInvalid: false,
                ReferenceState.Live,
                since)
            : throw new CorruptDataException(
                $"Object {ObjectNames.Block(id, form)} has {storedLength} bytes, expected {table.ObjectLength} as its header says.");
    }

    /// <summary>Gives its buffers back.</summary>
    public void Dispose() => _blocks.Dispose();
}
