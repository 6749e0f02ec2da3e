using System.CommandLine;
using Benji.Store;
using Benji.Store.Operations;

namespace Benji.Cli.Commands;

/// <summary><c>benji scrub</c>: checks that every object a version needs is there with the right size.</summary>
internal sealed class ScrubCommand : ICommand
{
    private readonly Argument<string> _version = new("VERSION") { Description = "The version to check" };

    private readonly Option<string> _percentage = new("--block-percentage", "-p")
    {
        Description = "Check only so many of the blocks, chosen at random, 1 to 100 (default: 100)",
        HelpName = "PERCENT",
    };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("scrub", "Check that every object a version needs is there")
    {
        _version, _percentage,
    };

    /// <inheritdoc/>
    public async Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        var request = Read(parsed);
        ScrubResult result;
        await using (var store = await run.OpenStoreAsync(StoreUse.Read))
        {
            result = await run.WatchAsync(progress => store.ScrubAsync(request, progress, run.Stop));
        }

        return ScrubOutcome.Print(run, result);
    }

    /// <summary>Returns what the arguments ask for.</summary>
    internal ScrubRequest Read(ParseResult parsed) => new()
    {
        Version = parsed.GetRequiredValue(_version),
        IsDeep = false,
        BlockPercentage = ArgumentValues.Percentage("--block-percentage", parsed.GetValue(_percentage) ?? "100"),
    };
}
