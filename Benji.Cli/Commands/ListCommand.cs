using System.CommandLine;
using Benji.Cli.Output;
using Benji.Store;
using Benji.Store.Model;

namespace Benji.Cli.Commands;

/// <summary><c>benji ls</c>: lists versions.</summary>
internal sealed class ListCommand : ICommand
{
    private readonly Argument<string?> _listed = new("VOLUME")
    {
        Description = "List this volume only, or the versions whose names begin so (default: all)",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<bool> _labels = new("--include-labels", "-l") { Description = "Show labels too" };

    private readonly Option<bool> _statistics = new("--include-stats", "-s")
    {
        Description = "Show what each backup read, wrote, found in the store and stored",
    };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("ls", "List versions") { _listed, _labels, _statistics };

    /// <inheritdoc/>
    public async Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        IReadOnlyList<VersionRecord> versions;
        var options = run.ReadOptions();
        await using (var store = await run.OpenStoreAsync(options, StoreUse.Read))
        {
            try
            {
                versions = await store.ListAsync(parsed.GetValue(_listed), run.Stop);
            }
            catch (NotFoundException)
            {
                await run.WarnOfForgottenAsync(store, options);
                throw;
            }

            if (versions.Count == 0)
            {
                await run.WarnOfForgottenAsync(store, options);
            }
        }

        if (run.IsMachineOutput)
        {
            run.WriteJson(writer => MachineJson.WriteVersions(writer, "versions", versions));
        }
        else
        {
            VersionTable.Of(versions, run.Time.LocalTimeZone, parsed.GetValue(_statistics), parsed.GetValue(_labels))
                .Write(run.Output, run.HasColor);
        }

        return ExitCodes.Success;
    }
}
