namespace Benji.Store.Catalogs.LiteDb;

/// <summary>Where a LiteDB catalog is and how it is opened.</summary>
internal sealed record LiteDbCatalogOptions
{
    /// <summary>The path of the database; <c>.wal</c>, <c>.reserve</c>, <c>.lock</c>, <c>.queue</c> and <c>.owners</c> stand
    /// beside it under the same stem.</summary>
    public required string Path { get; init; }

    /// <summary>True to make the catalog, and its directory, when there is none.</summary>
    public bool Create { get; init; }

    /// <summary>Told once, of who holds the catalog's lock, when the wait for it lasts longer than 2 s.</summary>
    public Action<string> Waiting { get; init; } = _ => { };

    /// <summary>The clock of leases.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
