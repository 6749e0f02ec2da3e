using System.CommandLine;
using Benji.Cli.Output;
using Benji.Store;
using Benji.Store.Model;

namespace Benji.Cli.Commands;

/// <summary><c>benji ls</c>: lists versions.</summary>
internal sealed class ListCommand : ICommand
{
    private readonly Argument<string?> _volume = new("VOLUME")
    {
        Description = "List this volume only (default: all)",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<bool> _labels = new("--include-labels", "-l") { Description = "Show labels too" };

    private readonly Option<bool> _statistics = new("--include-stats", "-s")
    {
        Description = "Show what each backup read, wrote, found in the store and stored",
    };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("ls", "List versions") { _volume, _labels, _statistics };

    /// <inheritdoc/>
    public async Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        IReadOnlyList<VersionRecord> versions;
        await using (var store = await run.OpenStoreAsync(StoreUse.Read))
        {
            versions = await store.ListAsync(parsed.GetValue(_volume), run.Stop);
        }

        if (run.IsMachineOutput)
        {
            run.WriteJson(writer => MachineJson.WriteVersions(writer, "versions", versions));
        }
        else
        {
            WriteTable(run, versions, parsed.GetValue(_statistics), parsed.GetValue(_labels));
        }

        return ExitCodes.Success;
    }

    private static void WriteTable(
        CommandRun run, IReadOnlyList<VersionRecord> versions, bool hasStatistics, bool hasLabels)
    {
        var zone = run.Time.LocalTimeZone;
        var rows = new List<string[]>(versions.Count);
        foreach (var version in versions)
        {
            rows.Add(VersionTable.Cells(version, zone, hasStatistics, hasLabels));
        }

        var headings = VersionTable.Headings(hasStatistics, hasLabels);
        if (run.Output.IsTerminal && TerminalTable.Fits(headings, rows, run.Output.Width))
        {
            TerminalTable.Write(run.Output.Writer, headings, rows, run.Output.Width, run.HasColor);
        }
        else
        {
            PlainTable.Write(run.Output.Writer, headings, rows);
        }
    }
}
