using System.Text;

namespace Benji.Cli.Completion;

/// <summary>Writes the completion script of zsh, in the words of its <c>_arguments</c>.</summary>
internal static class ZshCompletion
{
    private const string Head = """
        #compdef benji
        # zsh completion of benji. Load it with: source <(benji completion zsh), or save it as _benji in your $fpath.

        _benji_versions() {
            local -a versions
            versions=(${(f)"$(benji ls 2>/dev/null | awk 'NR > 1 { print $2 }')"})
            compadd -a versions
        }

        _benji_volumes() {
            local -a volumes
            volumes=(${(fu)"$(benji ls 2>/dev/null | awk 'NR > 1 { sub("/[^/]*$", "", $2); print $2 }')"})
            compadd -a volumes
        }

        _benji_overlays() {
            local -a overlays
            overlays=(${(f)"$(benji overlay ls 2>/dev/null | awk 'NR > 1 { print $2 }')"})
            compadd -a overlays
        }

        _benji_images() {
            _benji_versions
            _benji_overlays
        }

        _benji_commands() {
            local -a commands
            commands=(

        """;

    private const string Middle = """
            )
            _describe command commands
        }

        _benji() {
            local curcontext=$curcontext state line
            typeset -A opt_args
            local -a options

        """;

    /// <summary>Returns the script.</summary>
    public static string Script(CompletionWords words)
    {
        var script = new StringBuilder(Head);
        foreach (var command in words.Commands)
        {
            script.Append($"        '{command.Name}:{Escape(command.Description)}'\n");
        }

        script.Append(Middle).Append("    options=(\n");
        AppendOptions(script, words.GlobalOptions, "        ");
        script.Append("    )\n    _arguments -C $options ': :_benji_commands' '*:: :->rest' && return\n");
        script.Append("    [[ $state == rest ]] || return\n    case $words[1] in\n");
        foreach (var command in words.Commands)
        {
            script.Append($"        {command.Name})\n            options+=(\n");
            AppendOptions(script, command.Options, "                ");
            script.Append("            )\n            _arguments $options");
            for (var place = 0; place < command.Places.Count; place++)
            {
                var number = place == command.Places.Count - 1 ? "*" : $"{place + 1}";
                script.Append($" '{number}: :{Action(command.Places[place])}'");
            }

            script.Append(" ;;\n");
        }

        script.Append("    esac\n}\n\n");
        script.Append("if [[ $funcstack[1] == _benji ]]; then\n    _benji \"$@\"\nelse\n    compdef _benji benji\nfi\n");
        return script.ToString();
    }

    private static void AppendOptions(StringBuilder script, IEnumerable<CompletionOption> options, string indent)
    {
        foreach (var option in options)
        {
            var value = option.Value is { } kind ? $": :{Action(kind)}" : "";
            foreach (var name in option.Names)
            {
                script.Append($"{indent}'*{name}[{Escape(option.Description)}]{value}'\n");
            }
        }
    }

    private static string Action(WordKind kind) => kind switch
    {
        WordKind.Any => " ",
        WordKind.File => "_files",
        WordKind.Version => "_benji_versions",
        WordKind.Volume => "_benji_volumes",
        WordKind.Overlay => "_benji_overlays",
        WordKind.Image => "_benji_images",
        _ => $"({CompletionWords.Fixed(kind)})",
    };

    // Colons and brackets divide the parts of a specification; a quote ends the shell's string.
    private static string Escape(string text) => text
        .Replace("'", "'\\''", StringComparison.Ordinal)
        .Replace(":", "\\:", StringComparison.Ordinal)
        .Replace("[", "\\[", StringComparison.Ordinal)
        .Replace("]", "\\]", StringComparison.Ordinal);
}
