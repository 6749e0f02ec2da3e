using System.Text;

namespace Benji.Cli.Completion;

/// <summary>Writes the completion script of fish.</summary>
internal static class FishCompletion
{
    private const string Head = """
        # fish completion of benji. Load it with: benji completion fish | source

        function __benji_versions
            benji ls 2>/dev/null | awk 'NR > 1 { print $2 }'
        end

        function __benji_overlays
            benji overlay ls 2>/dev/null | awk 'NR > 1 { print $2 }'
        end

        function __benji_volumes
            __benji_versions | string replace -r '/[^/]*$' '' | sort -u
        end

        complete -c benji -f

        """;

    /// <summary>Returns the script.</summary>
    public static string Script(CompletionWords words)
    {
        var script = new StringBuilder(Head);
        foreach (var option in words.GlobalOptions)
        {
            AppendOption(script, "", option);
        }

        foreach (var command in words.Commands)
        {
            script.Append($"complete -c benji -n __fish_use_subcommand -a {command.Name} -d {Quote(command.Description)}\n");
            var condition = $" -n '__fish_seen_subcommand_from {command.Name}'";
            foreach (var option in command.Options)
            {
                AppendOption(script, condition, option);
            }

            foreach (var place in command.Places.Distinct().Where(place => place != WordKind.Any))
            {
                script.Append($"complete -c benji{condition}{Action(place)}\n");
            }
        }

        return script.ToString();
    }

    private static void AppendOption(StringBuilder script, string condition, CompletionOption option)
    {
        script.Append("complete -c benji").Append(condition);
        foreach (var name in option.Names)
        {
            script.Append(name.StartsWith("--", StringComparison.Ordinal) ? $" -l {name[2..]}" : $" -s {name[1..]}");
        }

        if (option.Value is { } kind)
        {
            script.Append(" -r").Append(Action(kind));
        }

        script.Append($" -d {Quote(option.Description)}\n");
    }

    private static string Action(WordKind kind) => kind switch
    {
        WordKind.Any => " -f",
        WordKind.File => " -F",
        WordKind.Version => " -f -a '(__benji_versions)'",
        WordKind.Volume => " -f -a '(__benji_volumes)'",
        WordKind.Overlay => " -f -a '(__benji_overlays)'",
        WordKind.Image => " -f -a '(__benji_versions; __benji_overlays)'",
        _ => $" -f -a '{CompletionWords.Fixed(kind)}'",
    };

    private static string Quote(string text) =>
        $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
}
