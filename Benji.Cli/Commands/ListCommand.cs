using System.CommandLine;
using Benji.Cli.Output;
using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;

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
        var volume = parsed.GetValue(_volume);
        if (volume is not null && !Names.IsVolume(volume))
        {
            throw new UsageException(
                $"{Names.Show(volume)} is not the name of a volume. Filters and patterns are not supported: name one volume, or none "
                + "for all.");
        }

        IReadOnlyList<VersionRecord> versions;
        var options = run.ReadOptions();
        await using (var store = await run.OpenStoreAsync(options, StoreUse.Read))
        {
            versions = await store.ListAsync(volume, run.Stop);
            if (versions.Count == 0)
            {
                await run.WarnOfForgottenAsync(store, options);
                if (volume is not null)
                {
                    throw Missing(volume, await store.ListAsync(volume: null, run.Stop));
                }
            }
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

    private static NotFoundException Missing(string volume, IReadOnlyList<VersionRecord> all)
    {
        var nearest = NearestName.Of(volume, all.Select(version => version.Name.Volume).Distinct());
        var hint = nearest is null ? "" : $" Did you mean '{nearest}'?";
        return new NotFoundException($"There is no version of volume {Names.Show(volume)}.{hint} 'benji ls' lists what there is.");
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
        var width = run.Output.IsTerminal ? run.Output.Width : 0;
        if (run.Output.IsTerminal
            && VersionTable.Fit(headings, rows, (some, cells) => TerminalTable.Fits(some, cells, width)) is { } table)
        {
            TerminalTable.Write(run.Output.Writer, table.Headings, table.Rows, width, run.HasColor);
        }
        else
        {
            PlainTable.Write(run.Output.Writer, headings, rows);
        }
    }
}
