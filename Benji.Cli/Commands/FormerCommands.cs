namespace Benji.Cli.Commands;

/// <summary>The commands of the original that are not here, with what to do instead.</summary>
internal static class FormerCommands
{
    /// <summary>Says what to do instead of a command; null when the original had none of that name.</summary>
    public static string? FindSuccessor(string name) => name switch
    {
        "enforce" => "there is no retention yet; remove versions with 'benji rm', then run 'benji cleanup'",
        "batch-scrub" or "bulk-scrub" => "run 'benji scrub' for each version that 'benji ls' lists",
        "batch-deep-scrub" or "bulk-deep-scrub" => "run 'benji deep-scrub' for each version that 'benji ls' lists",
        "metadata-export" or "metadata-backup" => "every storage holds what 'benji rebuild' needs to make the catalog again",
        "metadata-import" or "metadata-restore" => "'benji rebuild' makes the catalog again from the storages",
        "metadata-ls" => "'benji rebuild' adopts all versions that a storage holds, and 'benji ls' lists them",
        "database-init" => "the first 'benji backup' makes the catalog",
        "database-migrate" => "a catalog needs no migration",
        "storage-stats" or "storage-usage" => "'benji ls --include-stats' shows what each backup stored",
        "rest-api" => "there is none; every command takes '--json'",
        "search" => "'benji ls --include-labels' lists versions with their labels",
        _ => null,
    };
}
