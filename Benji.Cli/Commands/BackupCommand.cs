using System.CommandLine;
using Benji.Store;
using Benji.Store.Operations;

namespace Benji.Cli.Commands;

/// <summary><c>benji backup</c>: makes a version of a volume from a source.</summary>
internal sealed class BackupCommand : ICommand
{
    private readonly Argument<string> _source = new("SOURCE")
    {
        Description = "What to read: a path, or file:PATH; a regular file or a block device",
    };

    private readonly Argument<string> _volume = new("VOLUME") { Description = "The volume to make a version of" };

    private readonly Option<string?> _uid = new("--uid", "-u")
    {
        Description = "Name of the version (default: the time in UTC, as 20261123T024501Z)",
        HelpName = "NAME",
    };

    private readonly Option<string?> _snapshot = new("--snapshot", "-s")
    {
        Description = "Name of the source's snapshot that is read; only recorded",
        HelpName = "SNAPSHOT",
    };

    private readonly Option<string?> _baseVersion = new("--base-version", "-f")
    {
        Description = "Version that the hints are relative to (default: none; blocks are compared with the newest)",
        HelpName = "VERSION",
    };

    private readonly Option<string?> _hints = new("--rbd-hints", "-r")
    {
        Description = "Extents that changed since the base version, the JSON of 'rbd diff'",
        HelpName = "FILE",
    };

    private readonly Option<string?> _blockSize = new("--block-size", "-b")
    {
        Description = "Bytes per block, a power of two; K, M and G are understood (default: the volume's)",
        HelpName = "SIZE",
    };

    private readonly Option<string[]> _labels = new("--label", "-l")
    {
        Description = "Label to set, NAME=VALUE or NAME; may be repeated",
        HelpName = "LABEL",
    };

    private readonly Option<string?> _storage = new("--storage", "-S")
    {
        Description = "Storage to write to (default: the volume's, else defaultStorage)",
        HelpName = "STORAGE",
    };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("backup", "Make a version of a volume from a source")
    {
        _source, _volume, _uid, _snapshot, _baseVersion, _hints, _blockSize, _labels, _storage,
    };

    /// <inheritdoc/>
    public async Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        var request = Read(parsed);
        var options = run.ReadOptions();
        await BenjiStore.CheckFirstBackupAsync(options, request);
        BackupResult result;
        await using (var store = await run.OpenStoreAsync(options, StoreUse.Create))
        {
            result = await run.WatchAsync(progress => store.BackupAsync(request, progress, run.Stop));
        }

        return run.ReportVersion(result);
    }

    /// <summary>Returns what the arguments ask for.</summary>
    internal BackupRequest Read(ParseResult parsed) => new()
    {
        Source = parsed.GetRequiredValue(_source),
        Volume = parsed.GetRequiredValue(_volume),
        Version = parsed.GetValue(_uid),
        Snapshot = parsed.GetValue(_snapshot) ?? "",
        BaseVersion = parsed.GetValue(_baseVersion),
        HintsFile = parsed.GetValue(_hints),
        BlockSize = parsed.GetValue(_blockSize) is { } size ? ArgumentValues.Size("--block-size", size) : null,
        Labels = LabelArguments.Parse(parsed.GetValue(_labels) ?? []).Set,
        Storage = parsed.GetValue(_storage),
    };
}
