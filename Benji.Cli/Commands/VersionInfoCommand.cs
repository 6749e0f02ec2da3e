using System.CommandLine;
using System.Runtime.InteropServices;

namespace Benji.Cli.Commands;

/// <summary><c>benji version-info</c>: prints the versions of the program and of what it reads and writes.</summary>
internal sealed class VersionInfoCommand : ICommand
{
    /// <summary>The format of stores that this program writes; a test holds it equal to what the store writes.</summary>
    public const string StoreFormatVersion = "1";

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command(
        "version-info", "Print the versions of the program and its formats");

    /// <inheritdoc/>
    public Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        (string Name, string Value)[] facts =
        [
            ("version", BuildInfo.Version),
            ("commit", BuildInfo.Commit),
            ("store_format_version", StoreFormatVersion),
            ("configuration_version", "1"),
            ("runtime", RuntimeInformation.FrameworkDescription),
            ("platform", RuntimeInformation.RuntimeIdentifier),
        ];
        if (run.IsMachineOutput)
        {
            run.WriteJson(writer =>
            {
                foreach (var (name, value) in facts)
                {
                    writer.WriteString(name, value);
                }
            });
        }
        else
        {
            foreach (var (name, value) in facts)
            {
                run.Output.WriteLine($"{name}: {value}");
            }
        }

        return Task.FromResult(ExitCodes.Success);
    }
}
