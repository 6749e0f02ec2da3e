using Benji.Store.Model;

namespace Benji.Cli.Commands;

/// <summary>The labels of a command line: <c>name=value</c> and <c>name</c> set, <c>name-</c> removes.</summary>
/// <param name="Set">Labels to set, with their values.</param>
/// <param name="Remove">Labels to remove.</param>
internal sealed record LabelArguments(IReadOnlyDictionary<string, string> Set, IReadOnlyCollection<string> Remove)
{
    /// <summary>Reads labels in their order: a later one for the same name wins.</summary>
    /// <exception cref="UsageException">One has no name.</exception>
    public static LabelArguments Parse(IEnumerable<string> arguments)
    {
        var set = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var remove = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var argument in arguments)
        {
            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var isRemoval = equals < 0 && argument.EndsWith('-');
            var name = equals >= 0 ? argument[..equals] : isRemoval ? argument[..^1] : argument;
            if (name.Length == 0)
            {
                throw new UsageException(
                    $"Label {Names.Show(argument)} has no name: write NAME=VALUE or NAME to set it, NAME- to remove it.");
            }

            if (isRemoval)
            {
                set.Remove(name);
                remove.Add(name);
            }
            else
            {
                remove.Remove(name);
                set[name] = equals >= 0 ? argument[(equals + 1)..] : "";
            }
        }

        return new LabelArguments(set, remove);
    }
}
