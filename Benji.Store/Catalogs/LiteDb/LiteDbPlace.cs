using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Catalogs.LiteDb.Roles;

namespace Benji.Store.Catalogs.LiteDb;

/// <summary>Everything outside that a LiteDB catalog stands on; tests put a simulated disk here.</summary>
internal sealed record LiteDbPlace
{
    /// <summary>The catalog's name in messages, its path.</summary>
    public required string Name { get; init; }

    /// <summary>Opens the files afresh; true to make them where they are missing.</summary>
    public required Func<bool, ICatalogDisk> OpenDisk { get; init; }

    /// <summary>The lock of transactions; the catalog disposes it.</summary>
    public required ICatalogLock Lock { get; init; }

    /// <summary>The owners of leases; the catalog disposes it.</summary>
    public required ILeaseOwners Owners { get; init; }

    /// <summary>Pages in the log before it is applied, 2 MiB: the next process reads it all.</summary>
    public int LoggedPagesMax { get; init; } = 256;

    /// <summary>Makes the hash that chains the groups of the log.</summary>
    public Func<IWalHash> CreateHash { get; init; } = static () => new Sha256WalHash();
}
