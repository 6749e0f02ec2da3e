using System.CommandLine;
using Benji.Cli.Completion;
using Benji.Store.Model;

namespace Benji.Cli.Commands;

/// <summary><c>benji completion</c>: prints a completion script for a shell.</summary>
internal sealed class CompletionCommand : ICommand
{
    private readonly Argument<string> _shell = new("SHELL") { Description = "bash, zsh or fish" };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("completion", "Print a completion script for a shell") { _shell };

    /// <inheritdoc/>
    public Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        var shell = parsed.GetRequiredValue(_shell);
        var words = CompletionWords.Collect(
            new GlobalOptions().All, CommandTree.Entries.Select(entry => entry.Create().Syntax));
        var script = shell switch
        {
            "bash" => BashCompletion.Script(words),
            "zsh" => ZshCompletion.Script(words),
            "fish" => FishCompletion.Script(words),
            _ => throw new UsageException($"Shell {Names.Show(shell)} is not one of bash, zsh, fish."),
        };
        if (run.IsMachineOutput)
        {
            run.WriteJson(writer =>
            {
                writer.WriteString("shell"u8, shell);
                writer.WriteString("script"u8, script);
            });
        }
        else
        {
            run.Output.WriteText(script);
        }

        return Task.FromResult(ExitCodes.Success);
    }
}
