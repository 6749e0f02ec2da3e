using System.CommandLine;
using Benji.Cli.Output;
using Benji.Store;
using Benji.Store.Model;

namespace Benji.Cli.Commands;

/// <summary><c>benji label</c>: sets and removes labels of a version.</summary>
internal sealed class LabelCommand : ICommand
{
    private readonly Argument<string> _version = new("VERSION") { Description = "The version to label" };

    private readonly Argument<string[]> _labels = new("LABEL")
    {
        Description = "NAME=VALUE or NAME to set, NAME- to remove",
        Arity = ArgumentArity.OneOrMore,
    };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("label", "Set and remove labels of a version") { _version, _labels };

    /// <inheritdoc/>
    public async Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        var labels = LabelArguments.Parse(parsed.GetRequiredValue(_labels));
        VersionRecord version;
        await using (var store = await run.OpenStoreAsync(StoreUse.Change))
        {
            version = await store.LabelAsync(
                parsed.GetRequiredValue(_version), labels.Set, labels.Remove, run.Stop);
        }

        if (run.IsMachineOutput)
        {
            run.WriteJson(writer => MachineJson.WriteVersions(writer, "versions", [version]));
        }
        else
        {
            run.Summarize($"Labels of {version.Name}: {VersionTable.Labels(version.Labels)}");
        }

        return ExitCodes.Success;
    }
}
