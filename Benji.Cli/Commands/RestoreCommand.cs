using System.CommandLine;
using Benji.Cli.Output;
using Benji.Store;
using Benji.Store.Operations;

namespace Benji.Cli.Commands;

/// <summary><c>benji restore</c>: writes a version to a file or block device.</summary>
internal sealed class RestoreCommand : ICommand
{
    private readonly Argument<string> _version = new("VERSION")
    {
        Description = "The version: volume/version, a beginning of it that is unique, or volume/latest",
    };

    private readonly Argument<string> _target = new("TARGET")
    {
        Description = "Where to write: a path, or file:PATH; a new file, or with --force an existing one or a block device",
    };

    private readonly Option<bool> _sparse = new("--sparse", "-s")
    {
        Description = "Leave holes unwritten; an existing target keeps what it holds there",
    };

    private readonly Option<bool> _force = new("--force", "-f")
    {
        Description = "Write over an existing file or a block device; never over one that is mounted or in use",
    };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("restore", "Write a version to a file or block device")
    {
        _version, _target, _sparse, _force,
    };

    /// <inheritdoc/>
    public async Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        var request = Read(parsed);
        RestoreResult result;
        await using (var store = await run.OpenStoreAsync(StoreUse.Read))
        {
            result = await run.WatchAsync(progress => store.RestoreAsync(request, progress, run.Stop));
        }

        if (run.IsMachineOutput)
        {
            run.WriteJson(writer => RestoreReport.WriteJson(writer, result));
        }
        else
        {
            DamageMap.Write(run.Output.Writer, result.Damage);
            run.Summarize(RestoreReport.Summary(result));
        }

        if (result.Damage.Count == 0)
        {
            return ExitCodes.Success;
        }

        run.ReportFailure(
            ExitCodes.Damaged,
            $"{Quantities.Count(result.Damage.Count, "range")} of {result.Version.Name} "
            + $"({Quantities.Bytes(DamageMap.Bytes(result.Damage))}) could not be restored and "
            + $"{(result.Damage.Count == 1 ? "was" : "were")} written as zeros; everything else is right. "
            + $"Run 'benji deep-scrub {result.Version.Name}' and back up again.");
        return ExitCodes.Damaged;
    }

    /// <summary>Returns what the arguments ask for.</summary>
    internal RestoreRequest Read(ParseResult parsed) => new()
    {
        Version = parsed.GetRequiredValue(_version),
        Target = parsed.GetRequiredValue(_target),
        IsSparse = parsed.GetValue(_sparse),
        Force = parsed.GetValue(_force),
    };
}
