using System.CommandLine;
using Benji.Cli.Logging;

namespace Benji.Cli.Completion;

/// <summary>What a word of the command line can be completed with.</summary>
internal enum WordKind
{
    /// <summary>Nothing is known about it.</summary>
    Any,

    /// <summary>A path.</summary>
    File,

    /// <summary>A version of the catalog.</summary>
    Version,

    /// <summary>A volume of the catalog.</summary>
    Volume,

    /// <summary>A log level.</summary>
    Level,

    /// <summary>A shell that has a completion script.</summary>
    Shell,

    /// <summary>The word <c>new</c>.</summary>
    New,

    /// <summary>What can be done with overlays.</summary>
    OverlayVerb,

    /// <summary>An overlay of the catalog.</summary>
    Overlay,

    /// <summary>A version or an overlay of the catalog.</summary>
    Image,

    /// <summary>What becomes of writes to a version.</summary>
    Writable,
}

/// <summary>An option as completion needs it.</summary>
/// <param name="Names">All its names, the long one first.</param>
/// <param name="Description">What it does.</param>
/// <param name="Value">What its value is; null when it takes none.</param>
internal sealed record CompletionOption(IReadOnlyList<string> Names, string Description, WordKind? Value);

/// <summary>A command as completion needs it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it does.</param>
/// <param name="Options">Its own options, without the global ones.</param>
/// <param name="Places">What stands at each place behind the name; the last one repeats.</param>
internal sealed record CompletionCommandWords(
    string Name, string Description, IReadOnlyList<CompletionOption> Options, IReadOnlyList<WordKind> Places);

/// <summary>The words of the whole command line, taken from the commands themselves.</summary>
/// <param name="GlobalOptions">The options of every command.</param>
/// <param name="Commands">The commands.</param>
internal sealed record CompletionWords(
    IReadOnlyList<CompletionOption> GlobalOptions, IReadOnlyList<CompletionCommandWords> Commands)
{
    /// <summary>Collects them from the definitions that the parser works with.</summary>
    public static CompletionWords Collect(IEnumerable<Option> globalOptions, IEnumerable<Command> commands) => new(
        [.. globalOptions.Select(Convert)], [.. commands.Select(Convert)]);

    /// <summary>The fixed words of a kind, separated by blanks; empty when there are none.</summary>
    public static string Fixed(WordKind kind) => kind switch
    {
        WordKind.Level => string.Join(' ', LogLevels.Names),
        WordKind.Shell => "bash zsh fish",
        WordKind.New => "new",
        WordKind.OverlayVerb => "create ls rm",
        WordKind.Writable => "discard promote",
        _ => "",
    };

    private static CompletionCommandWords Convert(Command syntax)
    {
        var places = new List<WordKind>();
        var options = new List<CompletionOption>(syntax.Options.Select(Convert));
        if (syntax.Subcommands.Count > 0)
        {
            places.Add(syntax.Subcommands.Count == 1 ? WordKind.New : WordKind.OverlayVerb);
            places.AddRange(NestedPlaces(syntax));
            options.AddRange(syntax.Subcommands.SelectMany(nested => nested.Options).Select(Convert));
        }

        places.AddRange(syntax.Arguments.Select(argument => KindOf(argument.Name)));
        return new CompletionCommandWords(syntax.Name, syntax.Description ?? "", options, places);
    }

    // What stands at a place behind any of the nested commands.
    private static IEnumerable<WordKind> NestedPlaces(Command syntax)
    {
        for (var place = 0; place < syntax.Subcommands.Max(nested => nested.Arguments.Count); place++)
        {
            var kinds = syntax.Subcommands
                .Where(nested => nested.Arguments.Count > place)
                .Select(nested => KindOf(nested.Arguments[place].Name))
                .Distinct()
                .ToList();
            yield return kinds.Count == 1 ? kinds[0] : WordKind.Image;
        }
    }

    private static CompletionOption Convert(Option option) => new(
        [option.Name, .. option.Aliases.Order(StringComparer.Ordinal)],
        option.Description ?? "",
        option.HelpName is { } name ? KindOf(name) : null);

    // The name that the help shows says what a value is.
    private static WordKind KindOf(string name) => name switch
    {
        "SOURCE" or "TARGET" or "FILE" or "PATH" or "DIRECTORY" or "MOUNTPOINT" => WordKind.File,
        "VERSION" => WordKind.Version,
        "OVERLAY" => WordKind.Overlay,
        "VOLUME" => WordKind.Volume,
        "LEVEL" => WordKind.Level,
        "SHELL" => WordKind.Shell,
        "MODE" => WordKind.Writable,
        _ => WordKind.Any,
    };
}
