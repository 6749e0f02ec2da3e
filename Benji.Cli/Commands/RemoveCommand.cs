using System.CommandLine;
using Benji.Cli.Output;
using Benji.Store;
using Benji.Store.Operations;

namespace Benji.Cli.Commands;

/// <summary><c>benji rm</c>: removes versions.</summary>
internal sealed class RemoveCommand : ICommand
{
    private readonly Argument<string[]> _versions = new("VERSION")
    {
        Description = "The versions to remove",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<bool> _force = new("--force", "-f")
    {
        Description = "Remove versions younger than disallowRemoveWhenYounger too; never protected ones",
    };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("rm", "Remove versions") { _versions, _force };

    /// <inheritdoc/>
    public async Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        var request = Read(parsed);
        RemoveResult result;
        await using (var store = await run.OpenStoreAsync(StoreUse.Change))
        {
            result = await store.RemoveAsync(request, run.Stop);
        }

        if (run.IsMachineOutput)
        {
            run.WriteJson(writer => MachineJson.WriteVersions(writer, "versions", result.Versions));
        }
        else
        {
            run.Summarize($"Removed {string.Join(", ", result.Versions.Select(version => version.Name))}. "
                + "The space is free after the next cleanup.");
        }

        return ExitCodes.Success;
    }

    /// <summary>Returns what the arguments ask for.</summary>
    internal RemoveRequest Read(ParseResult parsed) => new()
    {
        Versions = parsed.GetRequiredValue(_versions),
        Force = parsed.GetValue(_force),
    };
}
