using System.Text;

namespace Benji.Cli.Completion;

/// <summary>Writes the completion script of bash; it needs nothing but bash and awk.</summary>
internal static class BashCompletion
{
    private const string Head = """
        # bash completion of benji. Load it with: source <(benji completion bash)

        _benji_versions() { benji ls 2>/dev/null | awk 'NR > 1 { print $2 }'; }
        _benji_overlays() { benji overlay ls 2>/dev/null | awk 'NR > 1 { print $2 }'; }
        _benji_volumes() { _benji_versions | awk '{ sub("/[^/]*$", ""); if (!seen[$0]++) print }'; }

        # Completes "$cur" with a word of kind $1.
        _benji_word() {
            case $1 in
                file) compopt -o default 2>/dev/null; COMPREPLY=() ;;
                version) COMPREPLY=($(compgen -W "$(_benji_versions)" -- "$cur")) ;;
                overlay) COMPREPLY=($(compgen -W "$(_benji_overlays)" -- "$cur")) ;;
                image) COMPREPLY=($(compgen -W "$(_benji_versions; _benji_overlays)" -- "$cur")) ;;
                volume) COMPREPLY=($(compgen -W "$(_benji_volumes)" -- "$cur")) ;;
                any) COMPREPLY=() ;;
                *) COMPREPLY=($(compgen -W "$1" -- "$cur")) ;;
            esac
        }

        # Sets kind to what the value of option $2 of command $1 is, or to nothing when it takes none.
        _benji_value() {
            kind=
            case $1:$2 in

        """;

    private const string Middle = """
            esac
        }

        _benji() {
            local cur=${COMP_WORDS[COMP_CWORD]} command= place=0 index word kind options
            for ((index = 1; index < COMP_CWORD; index++)); do
                word=${COMP_WORDS[index]}
                _benji_value "$command" "$word"
                if [[ -n $kind ]]; then
                    ((index++))
                    if ((index == COMP_CWORD)); then
                        _benji_word "$kind"
                        return
                    fi
                elif [[ $word == -* ]]; then
                    :
                elif [[ -z $command ]]; then
                    command=$word
                else
                    ((place++))
                fi
            done

        """;

    /// <summary>Returns the script.</summary>
    public static string Script(CompletionWords words)
    {
        var script = new StringBuilder(Head);
        foreach (var option in words.GlobalOptions.Where(option => option.Value is not null))
        {
            script.Append($"        {Patterns("*", option)}) kind='{Kind(option.Value!.Value)}' ;;\n");
        }

        foreach (var command in words.Commands)
        {
            foreach (var option in command.Options.Where(option => option.Value is not null))
            {
                script.Append($"        {Patterns(command.Name, option)}) kind='{Kind(option.Value!.Value)}' ;;\n");
            }
        }

        script.Append(Middle);
        script.Append($"    options='{Names(words.GlobalOptions)}'\n");
        script.Append("    if [[ -z $command ]]; then\n        _benji_word \"");
        script.Append(string.Join(' ', words.Commands.Select(command => command.Name)));
        script.Append(" $options\"\n        return\n    fi\n    case $command in\n");
        foreach (var command in words.Commands.Where(command => command.Options.Count > 0))
        {
            script.Append($"        {command.Name}) options+=' {Names(command.Options)}' ;;\n");
        }

        script.Append("    esac\n    if [[ $cur == -* ]]; then\n        _benji_word \"$options\"\n        return\n    fi\n");
        script.Append("    case $command:$place in\n");
        foreach (var command in words.Commands)
        {
            AppendPlaces(script, command);
        }

        script.Append("    esac\n}\n\ncomplete -F _benji benji\n");
        return script.ToString();
    }

    private static void AppendPlaces(StringBuilder script, CompletionCommandWords command)
    {
        for (var place = 0; place < command.Places.Count; place++)
        {
            var number = place == command.Places.Count - 1 ? "*" : $"{place}";
            script.Append($"        {command.Name}:{number}) _benji_word '{Kind(command.Places[place])}' ;;\n");
        }
    }

    private static string Patterns(string command, CompletionOption option) =>
        string.Join('|', option.Names.Select(name => $"{command}:{name}"));

    private static string Names(IEnumerable<CompletionOption> options) =>
        string.Join(' ', options.SelectMany(option => option.Names));

    private static string Kind(WordKind kind) => kind switch
    {
        WordKind.Any => "any",
        WordKind.File => "file",
        WordKind.Version => "version",
        WordKind.Volume => "volume",
        WordKind.Overlay => "overlay",
        WordKind.Image => "image",
        _ => CompletionWords.Fixed(kind),
    };
}
