using System.CommandLine;
using Benji.Store;

namespace Benji.Cli.Commands;

/// <summary><c>benji key new</c>: makes a file with a new master key.</summary>
internal sealed class KeyCommand : ICommand
{
    private readonly Argument<string> _file = new("FILE") { Description = "The file to make; it must not exist" };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("key", "Make keys")
    {
        new Command("new", "Make a file with a new master key of 32 random bytes, in base64") { _file },
    };

    /// <inheritdoc/>
    public Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        var path = parsed.GetRequiredValue(_file);
        run.ReadPlaces().RequireOutside(path, "The key file");
        KeyFile.Create(path);
        if (run.IsMachineOutput)
        {
            run.WriteJson(writer => writer.WriteString("file"u8, Path.GetFullPath(path)));
        }
        else
        {
            run.Summarize($"Made {path}. Keep a copy in another place: without the key no backup can be read.");
        }

        return Task.FromResult(ExitCodes.Success);
    }
}
