using System.CommandLine;
using Benji.Cli.Output;
using Benji.Store;
using Benji.Store.Operations;

namespace Benji.Cli.Commands;

/// <summary><c>benji cleanup</c>: deletes what no version has needed for the grace period.</summary>
internal sealed class CleanupCommand : ICommand
{
    private readonly Option<string?> _olderThan = new("--older-than")
    {
        Description = "Grace period: delete only what nothing has needed for so long, as 30m, 2h or 6d (default: 1h)",
        HelpName = "DURATION",
    };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("cleanup", "Delete what no version needs any more") { _olderThan };

    /// <inheritdoc/>
    public async Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        var request = Read(parsed);
        CleanupResult result;
        var options = run.ReadOptions();
        await using (var store = await run.OpenStoreAsync(options, StoreUse.Change))
        {
            await run.WarnOfForgottenAsync(store, options);
            result = await run.WatchAsync(progress => store.CleanupAsync(request, progress, run.Stop));
        }

        if (run.IsMachineOutput)
        {
            run.WriteJson(writer =>
            {
                writer.WriteNumber("objects_deleted"u8, result.ObjectsDeleted);
                writer.WriteNumber("bytes_deleted"u8, result.BytesDeleted);
                writer.WriteNumber("objects_waiting"u8, result.ObjectsWaiting);
                writer.WriteNumber("orphans_found"u8, result.OrphansFound);
                writer.WriteNumber("duration"u8, MachineJson.Seconds(result.Duration));
            });
        }
        else
        {
            run.Summarize(
                $"Deleted {Quantities.Count(result.ObjectsDeleted, "object")}, {Quantities.Bytes(result.BytesDeleted)}; "
                + $"{result.ObjectsWaiting} wait for the end of their grace period; "
                + $"{Quantities.Count(result.OrphansFound, "orphan")} of killed runs found; in "
                + Quantities.Duration(result.Duration));
        }

        return ExitCodes.Success;
    }

    /// <summary>Returns what the arguments ask for.</summary>
    internal CleanupRequest Read(ParseResult parsed) => new()
    {
        OlderThan = parsed.GetValue(_olderThan) is { } text ? ArgumentValues.Duration("--older-than", text) : null,
    };
}
