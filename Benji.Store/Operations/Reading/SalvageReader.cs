using System.Runtime.ExceptionServices;
using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;

namespace Benji.Store.Operations.Reading;

/// <summary>Reads whole blocks as far as they can be read: an object that the storage fails to read counts as damaged for as
/// long as the storage itself answers.</summary>
/// <remarks>One bad sector must not end a restore; a storage that is gone must. Safe for concurrent calls.</remarks>
internal sealed class SalvageReader(OpenedStore store, BlockStore blocks)
{
    /// <summary>Fills <paramref name="destination"/> with a block, damaged frames with zeros.</summary>
    /// <returns>What is damaged.</returns>
    /// <exception cref="StorageException">The storage does not answer any more.</exception>
    public async ValueTask<BlockReading> ReadAsync(
        BlockId id, Memory<byte> destination, CancellationToken cancellationToken)
    {
        StorageException failure;
        try
        {
            return await blocks.ReadBlockAsync(id, destination.Length, destination, cancellationToken);
        }
        catch (StorageException cause)
        {
            failure = cause;
        }

        if (await store.Storage.FindAsync(ObjectNames.StoreFile, cancellationToken) is null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return await blocks.SalvageBlockAsync(id, destination, failure.Message, cancellationToken);
    }
}
