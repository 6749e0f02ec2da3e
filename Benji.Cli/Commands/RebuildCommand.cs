using System.CommandLine;
using Benji.Cli.Output;
using Benji.Store;
using Benji.Store.Operations;

namespace Benji.Cli.Commands;

/// <summary><c>benji rebuild</c>: makes a new catalog from the storages alone.</summary>
internal sealed class RebuildCommand : ICommand
{
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Replace an existing catalog" };

    private readonly Option<string[]> _forget = new("--forget")
    {
        Description = "A storage that the catalog knows and that is gone for good: give its versions up; can be repeated",
        HelpName = "STORAGE",
    };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("rebuild", "Make a new catalog from the storages alone") { _force, _forget };

    /// <inheritdoc/>
    public async Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        var request = Read(parsed);
        var result = await run.WatchAsync(progress =>
            BenjiStore.RebuildAsync(run.ReadOptions(), request, run.Logging, run.Time, progress, run.Stop));

        if (run.IsMachineOutput)
        {
            run.WriteJson(writer =>
            {
                writer.WriteNumber("versions_adopted"u8, result.Versions);
                writer.WriteNumber("blocks_recorded"u8, result.Blocks);
                writer.WriteNumber("overlays_adopted"u8, result.Overlays);
                MachineJson.WriteTexts(writer, "problems", result.Problems);
                writer.WriteNumber("duration"u8, MachineJson.Seconds(result.Duration));
            });
        }
        else
        {
            foreach (var problem in result.Problems)
            {
                run.Output.WriteLine(OneLine.Of(problem));
            }

            run.Summarize(
                $"Adopted {Quantities.Count(result.Versions, "version")} and "
                + $"{Quantities.Count(result.Overlays, "overlay")}, recorded {Quantities.Count(result.Blocks, "block")}, in "
                + Quantities.Duration(result.Duration));
        }

        if (result.Problems.Count == 0)
        {
            return ExitCodes.Success;
        }

        run.ReportFailure(
            ExitCodes.Damaged,
            $"{Quantities.Count(result.Problems.Count, "problem")} found while the catalog was rebuilt; it is in use, and "
            + "what they concern is invalid or left out.");
        return ExitCodes.Damaged;
    }

    /// <summary>Returns what the arguments ask for.</summary>
    internal RebuildRequest Read(ParseResult parsed) => new()
    {
        Force = parsed.GetValue(_force),
        Forget = parsed.GetValue(_forget) ?? [],
    };
}
