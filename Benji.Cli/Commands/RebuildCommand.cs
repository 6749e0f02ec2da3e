using System.CommandLine;
using Benji.Cli.Output;
using Benji.Store;
using Benji.Store.Operations;

namespace Benji.Cli.Commands;

/// <summary><c>benji rebuild</c>: makes a new catalog from the storages alone.</summary>
internal sealed class RebuildCommand : ICommand
{
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Replace an existing catalog" };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("rebuild", "Make a new catalog from the storages alone") { _force };

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
                writer.WriteStartArray("problems"u8);
                foreach (var problem in result.Problems)
                {
                    writer.WriteStringValue(problem);
                }

                writer.WriteEndArray();
                writer.WriteNumber("duration"u8, MachineJson.Seconds(result.Duration));
            });
        }
        else
        {
            foreach (var problem in result.Problems)
            {
                await run.Output.Writer.WriteLineAsync(OneLine.Of(problem));
            }

            run.Summarize(
                $"Adopted {Quantities.Count(result.Versions, "version")} with {Quantities.Count(result.Blocks, "block")} "
                + $"and {Quantities.Count(result.Overlays, "overlay")} in {Quantities.Duration(result.Duration)}");
        }

        if (result.Problems.Count == 0)
        {
            return ExitCodes.Success;
        }

        run.ReportFailure(
            ExitCodes.Damaged,
            $"The catalog was rebuilt, with {Quantities.Count(result.Problems.Count, "problem")}; versions that they concern "
            + "are marked invalid.");
        return ExitCodes.Damaged;
    }

    /// <summary>Returns what the arguments ask for.</summary>
    internal RebuildRequest Read(ParseResult parsed) => new() { Force = parsed.GetValue(_force) };
}
