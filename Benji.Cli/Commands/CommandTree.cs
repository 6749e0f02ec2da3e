using System.CommandLine;

namespace Benji.Cli.Commands;

/// <summary>All commands by name; builds only what a command line needs, because each costs time at every start.</summary>
internal static class CommandTree
{
    /// <summary>What the program is, in one line.</summary>
    public const string Description = "Backs up disk images and block devices, deduplicated, compressed and encrypted.";

    /// <summary>The commands in the order of the help.</summary>
    public static IReadOnlyList<CommandEntry> Entries { get; } =
    [
        new("backup", "Make a version of a volume from a source", static () => new BackupCommand()),
        new("ls", "List versions", static () => new ListCommand()),
        new("restore", "Write a version to a file or block device", static () => new RestoreCommand()),
        new("scrub", "Check that every object a version needs is there", static () => new ScrubCommand()),
        new("deep-scrub", "Read and verify every block of a version", static () => new DeepScrubCommand()),
        new("rm", "Remove versions", static () => new RemoveCommand()),
        new("protect", "Protect versions from removal", static () => new ProtectCommand(isProtected: true)),
        new("unprotect", "Allow the removal of versions again", static () => new ProtectCommand(isProtected: false)),
        new("label", "Set and remove labels of a version", static () => new LabelCommand()),
        new("overlay", "Make, list and remove overlays", static () => new OverlayCommand()),
        new("promote", "Make an overlay a new version of its volume", static () => new PromoteCommand()),
        new("cleanup", "Delete what no version needs any more", static () => new CleanupCommand()),
        new("rebuild", "Make a new catalog from the storages alone", static () => new RebuildCommand()),
        new("nbd", "Serve versions and overlays as disks over NBD", static () => new NbdCommand()),
        new("mount", "Show versions and overlays as files below a directory", static () => new MountCommand()),
        new("umount", "Unmount what benji mount has mounted", static () => new UmountCommand()),
        new("key", "Make keys", static () => new KeyCommand()),
        new("version-info", "Print the versions of the program and its formats", static () => new VersionInfoCommand()),
        new("completion", "Print a completion script for a shell", static () => new CompletionCommand()),
    ];

    /// <summary>Returns the entry of a command, or null.</summary>
    public static CommandEntry? Find(string name)
    {
        foreach (var entry in Entries)
        {
            if (entry.Name == name)
            {
                return entry;
            }
        }

        return null;
    }

    /// <summary>Makes the root with the global options and one command.</summary>
    public static Command Root(GlobalOptions options, Command command)
    {
        var root = Root(options);
        root.Subcommands.Add(command);
        return root;
    }

    /// <summary>Makes the root with the global options and all commands by name only, for the help and for errors.</summary>
    public static Command Overview(GlobalOptions options)
    {
        var root = Root(options);
        foreach (var entry in Entries)
        {
            root.Subcommands.Add(new Command(entry.Name, entry.Description));
        }

        return root;
    }

    private static Command Root(GlobalOptions options)
    {
        // No RootCommand: it would take the name of the executable, and arguments in brackets as directives.
        var root = new Command("benji", Description);
        options.AddTo(root);
        return root;
    }
}

/// <summary>One command by name.</summary>
/// <param name="Name">What the user types.</param>
/// <param name="Description">What it does, for the help.</param>
/// <param name="Create">Makes it.</param>
internal sealed record CommandEntry(string Name, string Description, Func<ICommand> Create);
