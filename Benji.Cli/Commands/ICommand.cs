using System.CommandLine;

namespace Benji.Cli.Commands;

/// <summary>One verb of the command line: its arguments and options, and what it does with them.</summary>
internal interface ICommand
{
    /// <summary>The name, arguments and options, for the parser, the help, the completion and the tests.</summary>
    Command Syntax { get; }

    /// <summary>Calls one operation and prints what it did.</summary>
    /// <param name="parsed">The arguments, free of errors.</param>
    /// <param name="run">Opens the store and takes the output.</param>
    /// <returns>The exit code.</returns>
    Task<int> RunAsync(ParseResult parsed, CommandRun run);
}
