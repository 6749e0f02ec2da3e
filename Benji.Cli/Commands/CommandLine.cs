using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using Benji.Store.Model;
using Benji.Store.Operations;

namespace Benji.Cli.Commands;

/// <summary>Takes the arguments apart: which command, with which values, or what is wrong with them.</summary>
internal sealed class CommandLine
{
    private static readonly ParserConfiguration Configuration = new() { ResponseFileTokenReplacer = null };

    private readonly GlobalOptions _options = new();

    /// <summary>Parses; nothing is refused before <see cref="Check"/>.</summary>
    public CommandLine(IReadOnlyList<string> arguments)
    {
        var name = FindCommandName(arguments);
        Command = name is null ? null : CommandTree.Find(name)?.Create();
        UnknownName = Command is null ? name : null;
        var root = Command is null
            ? CommandTree.Overview(_options)
            : CommandTree.Root(_options, Command.Syntax);
        Parsed = CommandLineParser.Parse(root, arguments, Configuration);
    }

    /// <summary>The command, or null when none or an unknown one is named.</summary>
    public ICommand? Command { get; }

    /// <summary>What the parser made of the arguments.</summary>
    public ParseResult Parsed { get; }

    /// <summary>True for a line without a word, which asks what there is.</summary>
    public bool IsEmpty => Command is null && Parsed.Tokens.Count == 0;

    /// <summary>True when the version of the program is asked for, whatever else is.</summary>
    public bool AsksVersion => _options.AsksVersion(Parsed);

    /// <summary>True when help is asked for, whatever else is wrong.</summary>
    public bool AsksHelp => _options.AsksHelp(Parsed) && UnknownName is null;

    private string? UnknownName { get; }

    /// <summary>Returns the values of the global options.</summary>
    /// <exception cref="UsageException">One of them is not valid.</exception>
    public GlobalSettings ReadSettings() => _options.Read(Parsed);

    /// <summary>True when machine output is asked for, also on a line with errors.</summary>
    public static bool AsksMachineOutput(IReadOnlyList<string> arguments)
    {
        foreach (var argument in arguments)
        {
            if (argument == "--")
            {
                return false;
            }

            if (argument is "-m" or "--machine-output" or "--json")
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Writes the help of the command, or of all, to <paramref name="output"/>.</summary>
    public void WriteHelp(TextWriter output)
    {
        Parsed.InvocationConfiguration.Output = output;
        ((HelpAction)_options.Help.Action!).Invoke(Parsed);
    }

    /// <summary>Refuses a line that is not valid, in one sentence that says what to do.</summary>
    /// <exception cref="UsageException">The line is not valid.</exception>
    public void Check()
    {
        if (UnknownName is not null)
        {
            var nearest = NearestName.Of(UnknownName, CommandTree.Entries.Select(entry => entry.Name));
            var hint = OriginalWords.InsteadOf(UnknownName) is { } instead ? $" {instead}"
                : nearest is null ? ""
                : $" Did you mean '{nearest}'?";
            throw new UsageException($"There is no command {Names.Show(UnknownName)}.{hint} See 'benji --help'.");
        }

        if (Command is null && Parsed.UnmatchedTokens.Count == 0)
        {
            throw new UsageException("No command is given. See 'benji --help'.");
        }

        var command = FullName(Parsed.CommandResult);
        if (FindUnknownOption() is { } option)
        {
            var names = Parsed.CommandResult.Command.Options.Concat(_options.All)
                .SelectMany(known => known.Aliases.Append(known.Name));
            var hint = OriginalWords.InsteadOf(Parsed.CommandResult.Command.Name, option) is { } instead ? $" {instead}"
                : option.Length > 3 && NearestName.Of(option, names) is { } nearest ? $" Did you mean '{nearest}'?"
                : "";
            throw new UsageException($"There is no option {Names.Show(option)}.{hint} See '{command} --help'.");
        }

        if (Parsed.Errors.Count == 0)
        {
            return;
        }

        throw new UsageException($"{MissingArguments() ?? Parsed.Errors[0].Message} See '{command} --help'.");
    }

    // The parser takes an unknown option for an argument: a mistyped --force would be a version's name.
    private string? FindUnknownOption()
    {
        foreach (var token in Parsed.Tokens)
        {
            if (token.Type == TokenType.DoubleDash)
            {
                return null;
            }

            if (token.Value.Length > 1 && token.Value.StartsWith('-') && token.Type == TokenType.Argument
                && !IsOptionValue(token))
            {
                return token.Value;
            }
        }

        return null;
    }

    private bool IsOptionValue(Token token) => Parsed.CommandResult.Command.Options.Concat(_options.All)
        .Any(option => Parsed.GetResult(option)?.Tokens.Any(value => ReferenceEquals(value, token)) == true);

    // The parser does not say which argument is missing.
    private string? MissingArguments()
    {
        if (Parsed.UnmatchedTokens.Count > 0)
        {
            return null;
        }

        var missing = Parsed.CommandResult.Command.Arguments
            .Where(argument => argument.Arity.MinimumNumberOfValues > 0
                && Parsed.GetResult(argument) is not { Tokens.Count: > 0 })
            .Select(argument => argument.Name)
            .ToList();
        return missing.Count == 0
            ? null
            : $"{string.Join(" and ", missing)} {(missing.Count == 1 ? "is" : "are")} missing.";
    }

    private static string FullName(CommandResult result) => result.Parent is CommandResult parent
        ? $"{FullName(parent)} {result.Command.Name}"
        : "benji";

    // The first argument that is neither an option nor the value of a global one. Command options cannot stand before
    // the command, so their values need no care.
    private static string? FindCommandName(IReadOnlyList<string> arguments)
    {
        for (var index = 0; index < arguments.Count; index++)
        {
            var argument = arguments[index];
            if (GlobalOptions.TakesValue(argument))
            {
                index++;
            }
            else if (!argument.StartsWith('-'))
            {
                return argument;
            }
        }

        return null;
    }
}
