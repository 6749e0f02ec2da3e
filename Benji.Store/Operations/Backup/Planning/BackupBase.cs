using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Backup.Planning;

/// <summary>What a backup builds on: the version it compares with, where it stores, and in which blocks.</summary>
/// <param name="Compare">The version whose blocks lend and are compared with, or null.</param>
/// <param name="Content">The version that holds what hints do not list; null where hints are relative to nothing.</param>
/// <param name="Storage">The configured name of the storage.</param>
/// <param name="BlockSize">Bytes per block.</param>
internal sealed record BackupBase(VersionRecord? Compare, VersionRecord? Content, string Storage, int BlockSize)
{
    /// <summary>Decides from what the user asked and what the catalog holds.</summary>
    /// <exception cref="NotFoundException">The base version does not exist.</exception>
    /// <exception cref="UsageException">The base version lies in another storage or has another block size.</exception>
    public static BackupBase Choose(
        ICatalogTransaction transaction, BackupRequest request, bool hasHints, int blockSizeDefault, string storageDefault)
    {
        var asked = request.BaseVersion is null ? null : VersionResolver.Resolve(transaction, request.BaseVersion);
        var compare = asked ?? transaction.Versions.FindLatest(request.Volume, status: null);
        var storage = request.Storage ?? compare?.Storage ?? storageDefault;
        var blockSize = request.BlockSize ?? compare?.BlockSize ?? blockSizeDefault;
        CheckAsked(asked, storage, blockSize);
        if (compare is not null && (compare.Storage != storage || compare.BlockSize != blockSize))
        {
            // The newest version was nobody's wish: a new storage or block size simply starts afresh.
            compare = null;
        }

        return new BackupBase(compare, hasHints ? asked : null, storage, blockSize);
    }

    private static void CheckAsked(VersionRecord? asked, string storage, int blockSize)
    {
        if (asked is not null && asked.Storage != storage)
        {
            throw new UsageException(
                $"Base version {asked.Name} is in storage '{asked.Storage}', the backup was to go to '{storage}'; " +
                "blocks cannot be shared between storages.");
        }

        if (asked is not null && asked.BlockSize != blockSize)
        {
            throw new UsageException(
                $"Base version {asked.Name} has a block size of {asked.BlockSize}, the backup was to use {blockSize}; " +
                "leave the base version or the block size away.");
        }
    }
}
