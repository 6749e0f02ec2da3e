using System.CommandLine;
using Benji.Store;
using Benji.Store.Operations;

namespace Benji.Cli.Commands;

/// <summary><c>benji promote</c>: makes an overlay a new version.</summary>
internal sealed class PromoteCommand : ICommand
{
    private readonly Argument<string> _overlay = new("OVERLAY")
    {
        Description = "The overlay, VERSION@NAME, or the path of its file in a mount",
    };

    private readonly Option<string?> _uid = new("--uid", "-u")
    {
        Description = "Name of the version (default: the time in UTC, as 20261123T024501Z)",
        HelpName = "NAME",
    };

    private readonly Option<string[]> _labels = new("--label", "-l")
    {
        Description = "Label to set, NAME=VALUE or NAME; may be repeated",
        HelpName = "LABEL",
    };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("promote", "Make an overlay a new version of its volume")
    {
        _overlay, _uid, _labels,
    };

    /// <inheritdoc/>
    public async Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        var request = Read(parsed);
        BackupResult result;
        await using (var store = await run.OpenStoreAsync(StoreUse.Change))
        {
            result = await run.WatchAsync(progress => store.PromoteAsync(request, progress, run.Stop));
        }

        return run.ReportVersion(result);
    }

    /// <summary>Returns what the arguments ask for.</summary>
    internal PromoteRequest Read(ParseResult parsed) => new()
    {
        Overlay = parsed.GetRequiredValue(_overlay),
        Version = parsed.GetValue(_uid),
        Labels = LabelArguments.Parse(parsed.GetValue(_labels) ?? []).Set,
    };
}
