namespace Benji.Cli.Commands;

/// <summary>Commands and options of the Python program that this one does without, and what to use in their place.</summary>
internal static class OriginalWords
{
    private const string Rebuild = "'benji rebuild' makes the catalog from the storages, with labels and protection.";
    private const string NoLock = "A run that was killed blocks nobody: there is no lock to override.";
    private const string NoMetadata = "A version that is removed leaves nothing: copy the storage first to keep it.";

    private static readonly Dictionary<string, string> Commands = new()
    {
        ["enforce"] = "Retention rules are not there yet: 'benji rm VERSION...' removes versions.",
        ["batch-scrub"] = "'benji scrub VERSION' checks one version, 'benji ls' lists them.",
        ["batch-deep-scrub"] = "'benji deep-scrub VERSION' checks one version, 'benji ls' lists them.",
        ["metadata-export"] = "Every storage holds the metadata of its versions; 'benji ls --json' prints what is known of each.",
        ["metadata-import"] = Rebuild,
        ["metadata-backup"] = "Every backup puts its metadata into the storage: nothing else needs to be done.",
        ["metadata-restore"] = Rebuild,
        ["metadata-ls"] = "'benji ls' lists the versions; " + Rebuild,
        ["database-init"] = "The first 'benji backup' makes the catalog.",
        ["database-migrate"] = "The catalog needs no migration. " + Rebuild,
        ["storage-stats"] = "'du' tells the size of a storage, 'benji ls --include-stats' what each version added to it.",
        ["storage-usage"] = "'benji ls --include-stats' tells what each version added to its storage.",
        ["rest-api"] = "Every command prints JSON with --json.",
    };

    private static readonly Dictionary<(string Command, string Option), string> Options = new()
    {
        [("rm", "--override-lock")] = NoLock,
        [("cleanup", "--override-lock")] = NoLock,
        [("rm", "--keep-metadata-backup")] = NoMetadata,
        [("rm", "-k")] = NoMetadata,
        [("restore", "--database-less")] = "Without a catalog: 'benji rebuild', then 'benji restore'.",
        [("restore", "-d")] = "Without a catalog: 'benji rebuild', then 'benji restore'.",
        [("restore", "--storage")] = "The catalog knows where each version is.",
        [("restore", "-S")] = "The catalog knows where each version is.",
    };

    /// <summary>Returns what to use in the place of a command, in a sentence, or null when the original has none of that name.</summary>
    public static string? InsteadOf(string command) => Commands.GetValueOrDefault(command);

    /// <summary>Returns what to use in the place of an option of a command, or null.</summary>
    public static string? InsteadOf(string command, string option) => Options.GetValueOrDefault((command, option));
}
