using System.CommandLine;
using Benji.Store;
using Benji.Store.Operations;

namespace Benji.Cli.Commands;

/// <summary><c>benji deep-scrub</c>: reads and verifies every block of a version, and compares it with a source.</summary>
internal sealed class DeepScrubCommand : ICommand
{
    private readonly Argument<string> _version = new("VERSION") { Description = "The version to verify" };

    private readonly Option<string> _percentage = new("--block-percentage", "-p")
    {
        Description = "Verify only so many of the blocks, chosen at random, 1 to 100 (default: 100)",
        HelpName = "PERCENT",
    };

    private readonly Option<string?> _source = new("--source", "-s")
    {
        Description = "Compare with this source, byte for byte",
        HelpName = "SOURCE",
    };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("deep-scrub", "Read and verify every block of a version")
    {
        _version, _percentage, _source,
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
        IsDeep = true,
        BlockPercentage = ArgumentValues.Percentage("--block-percentage", parsed.GetValue(_percentage) ?? "100"),
        Source = parsed.GetValue(_source),
    };
}
