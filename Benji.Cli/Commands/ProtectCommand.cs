using System.CommandLine;
using Benji.Cli.Output;
using Benji.Store;
using Benji.Store.Model;

namespace Benji.Cli.Commands;

/// <summary><c>benji protect</c> and <c>benji unprotect</c>: forbid and allow the removal of versions.</summary>
/// <param name="isProtected">True for <c>protect</c>.</param>
internal sealed class ProtectCommand(bool isProtected) : ICommand
{
    private readonly Argument<string[]> _versions = new("VERSION")
    {
        Description = isProtected ? "The versions to protect" : "The versions to unprotect",
        Arity = ArgumentArity.OneOrMore,
    };

    /// <inheritdoc/>
    public Command Syntax => field ??= isProtected
        ? new Command("protect", "Protect versions from removal") { _versions }
        : new Command("unprotect", "Allow the removal of versions again") { _versions };

    /// <inheritdoc/>
    public async Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        var changed = new List<VersionRecord>();
        await using (var store = await run.OpenStoreAsync(StoreUse.Change))
        {
            foreach (var version in parsed.GetRequiredValue(_versions))
            {
                changed.Add(await store.ProtectAsync(version, isProtected, run.Stop));
            }
        }

        if (run.IsMachineOutput)
        {
            run.WriteJson(writer => MachineJson.WriteVersions(writer, "versions", changed));
        }
        else
        {
            var verb = isProtected ? "Protected" : "Unprotected";
            run.Summarize($"{verb} {string.Join(", ", changed.Select(version => version.Name))}.");
        }

        return ExitCodes.Success;
    }
}
