using System.Diagnostics.CodeAnalysis;
using Benji.Cli.Commands;
using Benji.Cli.Configuration;

namespace Benji.Cli;

/// <summary>One run of the program, from its arguments to its exit code.</summary>
internal static class Application
{
    /// <summary>Runs the command that the arguments name.</summary>
    /// <returns>One of <see cref="ExitCodes"/>; the reason of a failure is on standard error.</returns>
    [SuppressMessage("Design", "CA1031", Justification = "The boundary of the process: a failure becomes an exit code.")]
    public static async Task<int> RunAsync(
        string[] arguments, RunEnvironment environment, Interruption interruption)
    {
        // Stands until the arguments are understood, so that what is wrong with them can be told.
        var settings = new GlobalSettings { IsMachineOutput = CommandLine.AsksMachineOutput(arguments) };
        CommandRun? run = null;
        try
        {
            OutsideText.CheckArguments(arguments, environment.ReadProcess);
            var line = new CommandLine(arguments);
            if (line.AsksHelp || line.AsksVersion)
            {
                WriteAboutProgram(line, environment, line.AsksHelp);
                return ExitCodes.Success;
            }

            if (line.IsEmpty)
            {
                WriteAboutProgram(line, environment, isHelp: true);
                return ExitCodes.Usage;
            }

            line.Check();
            settings = line.ReadSettings();
            run = Composition.CreateRun(settings, environment, interruption);
            var logger = run.Logging.CreateLogger("Benji.Cli");
            interruption.Listen(signal => Log.Stopping(logger, signal));
            var code = await line.Command!.RunAsync(line.Parsed, run);
            run.Output.Flush();
            return code;
        }
        catch (Exception exception)
        {
            run ??= Composition.CreateRun(settings, environment, interruption);
            var code = ExitCodes.Of(exception, interruption.Token.IsCancellationRequested);
            run.ReportFailure(code, ExitCodes.MessageOf(exception, code), exception);
            return code;
        }
        finally
        {
            run?.Logging.Dispose();
        }
    }

    private static void WriteAboutProgram(CommandLine line, RunEnvironment environment, bool isHelp)
    {
        var output = Composition.CreateOutput(environment);
        if (isHelp)
        {
            line.WriteHelp(output.Writer);
        }
        else
        {
            output.WriteLine($"benji {BuildInfo.Version} (commit {BuildInfo.Commit})");
        }

        output.Flush();
    }
}
