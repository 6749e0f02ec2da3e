using Benji.Testing.Disks;

namespace Benji.Testing.Catalogs;

/// <summary>The moments at which the power goes in a crash test of the catalog.</summary>
public enum CatalogCrash
{
    /// <summary>Any of the steps.</summary>
    Anywhere,

    /// <summary>The first steps after opening: recovery, and the first commit after it.</summary>
    Early,

    /// <summary>A page on its way to the database.</summary>
    DataWrite,

    /// <summary>A group on its way to the log.</summary>
    LogWrite,

    /// <summary>The first group after the log was emptied (K3).</summary>
    FirstLogWriteAfterReset,

    /// <summary>The database's header page on its way, while the log is applied (K4).</summary>
    HeaderWrite,

    /// <summary>The sync of a commit (K5).</summary>
    LogSync,

    /// <summary>The emptying of the log.</summary>
    LogReset,

    /// <summary>The steps that make a new catalog.</summary>
    Creation,
}

/// <summary>A safeguard that is taken away, to prove that the crash tests notice.</summary>
public enum CatalogWeakness
{
    /// <summary>None is.</summary>
    None,

    /// <summary>The database is not synced before the log is emptied.</summary>
    NoDataSync,

    /// <summary>The emptied log is not synced before it is written again.</summary>
    NoResetSync,

    /// <summary>A group of the log is believed without its hash.</summary>
    NoHash,

    /// <summary>A commit is acknowledged without a sync.</summary>
    NoCommitSync,

    /// <summary>What a killed process wrote is read without making it durable first.</summary>
    NoRepair,
}

/// <summary>Turns a kind of crash into the step at which a simulated disk loses power.</summary>
internal static class CatalogCrashPlan
{
    /// <summary>Chooses the step.</summary>
    public static Func<DiskStep, bool> Choose(CatalogCrash kind, Random random)
    {
        var countdown = kind switch
        {
            CatalogCrash.Anywhere => random.Next(1, 120),
            CatalogCrash.Early => random.Next(1, 6),
            CatalogCrash.DataWrite => random.Next(1, 60),
            CatalogCrash.LogWrite or CatalogCrash.LogSync => random.Next(1, 10),
            CatalogCrash.Creation => random.Next(1, 8),
            _ => random.Next(1, 3),
        };
        var isAfterReset = false;
        return step =>
        {
            var isMeant = Is(kind, step, isAfterReset);
            isAfterReset = step is { File: SimulatedCatalogPlace.Log, Kind: DiskStepKind.Truncate, Offset: 0 }
                || (isAfterReset && step.Kind is DiskStepKind.Read or DiskStepKind.Sync);
            return isMeant && --countdown == 0;
        };
    }

    private static bool Is(CatalogCrash kind, DiskStep step, bool isAfterReset) => kind switch
    {
        CatalogCrash.DataWrite => step is { File: SimulatedCatalogPlace.Data, Kind: DiskStepKind.Write },
        CatalogCrash.LogWrite => step is { File: SimulatedCatalogPlace.Log, Kind: DiskStepKind.Write },
        CatalogCrash.FirstLogWriteAfterReset => isAfterReset && step.Kind == DiskStepKind.Write,
        CatalogCrash.HeaderWrite =>
            step is { File: SimulatedCatalogPlace.Data, Kind: DiskStepKind.Write, Offset: 0 },
        CatalogCrash.LogSync => step is { File: SimulatedCatalogPlace.Log, Kind: DiskStepKind.Sync },
        CatalogCrash.LogReset =>
            step is { File: SimulatedCatalogPlace.Log, Kind: DiskStepKind.Truncate } || isAfterReset,
        _ => step.Kind != DiskStepKind.Read,
    };
}
