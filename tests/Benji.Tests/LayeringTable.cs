using System.Text.RegularExpressions;
using Benji.Testing;

namespace Benji.Tests;

/// <summary>The table of docs/house.md section 4: the namespaces that each folder may name.</summary>
internal static partial class LayeringTable
{
    /// <summary>Reads the rows; the keys are all namespaces that there are.</summary>
    public static Dictionary<string, HashSet<string>> Read()
    {
        var page = File.ReadAllText(Repository.PathOf("docs", "house.md"));
        var start = page.IndexOf("\n## 4. ", StringComparison.Ordinal);
        var section = page[start..page.IndexOf("\n## 5. ", start, StringComparison.Ordinal)];
        var rows = Row().Matches(section).ToDictionary(row => row.Groups[1].Value, row => row.Groups[2].Value);
        return rows.ToDictionary(
            row => Namespace(row.Key),
            row => row.Value.Split(", ").SelectMany(name => Named(rows.Keys, row.Key, name)).ToHashSet());
    }

    // A name without a project is a folder of the row's own.
    private static IEnumerable<string> Named(ICollection<string> folders, string folder, string name)
    {
        var project = folder.Split('/')[0];
        if (name is "all")
        {
            return folders.Where(other => other.StartsWith(project + "/", StringComparison.Ordinal)).Select(Namespace);
        }

        if (name is "nothing")
        {
            return [];
        }

        var path = name.Trim('`');
        var inside = $"{project}/{path}";
        return folders.Contains(inside) ? [Namespace(inside)]
            : folders.Contains(path) ? [Namespace(path)]
            : throw new InvalidDataException($"docs/house.md section 4: the row of {folder} names {path}, which has no row");
    }

    private static string Namespace(string folder) => $"Benji.{folder.Replace('/', '.')}";

    [GeneratedRegex(@"^\| `([\w/]+)` \| (.+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
