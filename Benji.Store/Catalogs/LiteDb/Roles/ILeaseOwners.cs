namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>Tells whether the processes behind leases live; called inside transactions only.</summary>
internal interface ILeaseOwners : IDisposable
{
    /// <summary>This catalog object as the owner of leases.</summary>
    LeaseOwner Self { get; }

    /// <summary>What tells this boot of this machine's kernel from all others; stored with each lease.</summary>
    string BootId { get; }

    /// <summary>Makes it possible for others to see that this owner lives; before its first lease is committed.</summary>
    /// <exception cref="IOException">It cannot be announced.</exception>
    void Announce();

    /// <summary>True when the owner lives, false when it is known to be dead, null when only expiry can tell.</summary>
    /// <exception cref="IOException">It cannot be found out.</exception>
    bool? IsAlive(LeaseOwner owner, string bootId);

    /// <summary>True while a process of this host has the catalog open that can only read it, and so takes no lease.</summary>
    /// <exception cref="IOException">It cannot be found out.</exception>
    bool HasReaders();
}
