using System.CommandLine;
using System.CommandLine.Help;
using Benji.Cli.Logging;
using Microsoft.Extensions.Logging;

namespace Benji.Cli.Commands;

/// <summary>The options that every command takes, before or after its name.</summary>
internal sealed class GlobalOptions
{
    private readonly Option<string?> _configFile = new("--config-file", "-c")
    {
        Description = "Configuration file; beats BENJI_CONFIG, BENJI_HOME and the default places",
        HelpName = "FILE",
    };

    private readonly Option<bool> _machineOutput = new("--machine-output", "-m", "--json")
    {
        Description = "Print one JSON document on standard output, and log lines as JSON",
    };

    private readonly Option<string?> _logLevel = new("--log-level")
    {
        Description = "TRACE, DEBUG, INFO, WARNING or ERROR (default: INFO, at a terminal WARNING)",
        HelpName = "LEVEL",
    };

    private readonly Option<bool> _noColor = new("--no-color") { Description = "Never colour anything" };

    private readonly Option<bool> _verbose = new("--verbose", "-v")
    {
        Description = "Say more: log level INFO at a terminal too, and the memory that a backup allowed itself",
    };

    private readonly Option<bool> _quiet = new("--quiet", "-q")
    {
        Description = "Say less: results, warnings and errors only, so that cron mails when something is wrong",
    };

    private readonly Option<bool> _version = new("--version") { Description = "Print the program's version and commit" };

    private readonly HelpOption _help = new("--help", "-h");

    /// <summary>The help option, whose action writes the help.</summary>
    public HelpOption Help => _help;

    /// <summary>The options in the order of the help.</summary>
    public IReadOnlyList<Option> All => [_configFile, _machineOutput, _logLevel, _noColor, _verbose, _quiet, _version, _help];

    /// <summary>True for the name of a global option whose next argument is its value.</summary>
    public static bool TakesValue(string name) => name is "-c" or "--config-file" or "--log-level";

    /// <summary>Adds them to the root of the command line.</summary>
    public void AddTo(Command root)
    {
        foreach (var option in All)
        {
            option.Recursive = true;
            root.Options.Add(option);
        }
    }

    /// <summary>True when the version of the program is asked for.</summary>
    public bool AsksVersion(ParseResult parsed) => parsed.GetValue(_version);

    /// <summary>True when help is asked for.</summary>
    public bool AsksHelp(ParseResult parsed) => parsed.GetResult(_help) is { Implicit: false };

    /// <summary>Returns what was given.</summary>
    /// <exception cref="Store.Model.UsageException">The log level is not known, or two options contradict each other.</exception>
    public GlobalSettings Read(ParseResult parsed)
    {
        if (parsed.GetValue(_quiet) && parsed.GetValue(_verbose))
        {
            throw new Store.Model.UsageException("--quiet contradicts --verbose: leave one away.");
        }

        return new GlobalSettings
        {
            ConfigFile = parsed.GetValue(_configFile),
            IsMachineOutput = parsed.GetValue(_machineOutput),
            LogLevel = parsed.GetValue(_logLevel) is { } level ? LogLevels.Parse(level) : null,
            HasNoColor = parsed.GetValue(_noColor),
            IsVerbose = parsed.GetValue(_verbose),
            IsQuiet = parsed.GetValue(_quiet),
        };
    }
}

/// <summary>The values of the global options.</summary>
internal sealed record GlobalSettings
{
    /// <summary>The configuration file, or null for the environment's or a default one.</summary>
    public string? ConfigFile { get; init; }

    /// <summary>True for JSON on standard output and in the log.</summary>
    public bool IsMachineOutput { get; init; }

    /// <summary>The least level that is logged, or null for the default.</summary>
    public LogLevel? LogLevel { get; init; }

    /// <summary>True to colour nothing.</summary>
    public bool HasNoColor { get; init; }

    /// <summary>True to say nothing but results, warnings and errors.</summary>
    public bool IsQuiet { get; init; }

    /// <summary>True to say more.</summary>
    public bool IsVerbose { get; init; }
}
