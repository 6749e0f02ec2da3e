using System.Text.RegularExpressions;
using Xunit;

namespace Benji.Tests;

/// <summary>Keeps the directions of docs/house.md true: a folder names only what the table lists for it.</summary>
public partial class LayeringTests
{
    private static readonly Dictionary<string, string[]> Allowed = Expand(new()
    {
        ["Benji.Store"] = ["Benji.Store.*"],
        ["Benji.Store.Operations"] =
        [
            "Benji.Store.Images", "Benji.Store.Blocks", "Benji.Store.Blocks.Maps", "Benji.Store.Blocks.Sealing",
            "Benji.Store.Sources", "Benji.Store.Catalogs", "Benji.Store.Storages", "Benji.Store.Model",
        ],
        ["Benji.Store.Images"] =
        [
            "Benji.Store.Blocks", "Benji.Store.Blocks.Maps", "Benji.Store.Catalogs", "Benji.Store.Posix",
            "Benji.Store.Model",
        ],
        ["Benji.Store.Blocks.Maps"] =
        [
            "Benji.Store.Blocks", "Benji.Store.Blocks.Sealing", "Benji.Store.Transforms", "Benji.Store.Storages",
            "Benji.Store.Catalogs", "Benji.Store.Model",
        ],
        ["Benji.Store.Blocks"] =
        [
            "Benji.Store.Blocks.Opening", "Benji.Store.Blocks.Documents", "Benji.Store.Blocks.Writing",
            "Benji.Store.Blocks.Sealing", "Benji.Store.Transforms", "Benji.Store.Transforms.Hashing",
            "Benji.Store.Storages", "Benji.Store.Catalogs", "Benji.Store.Model",
        ],
        ["Benji.Store.Blocks.Writing"] =
        [
            "Benji.Store.Blocks", "Benji.Store.Blocks.Sealing", "Benji.Store.Transforms", "Benji.Store.Catalogs",
            "Benji.Store.Model",
        ],
        ["Benji.Store.Blocks.Opening"] =
        [
            "Benji.Store.Blocks.Documents", "Benji.Store.Transforms", "Benji.Store.Storages", "Benji.Store.Model",
        ],
        ["Benji.Store.Blocks.Documents"] =
            ["Benji.Store.Blocks.Sealing", "Benji.Store.Transforms", "Benji.Store.Model"],
        ["Benji.Store.Blocks.Sealing"] =
        [
            "Benji.Store.Transforms", "Benji.Store.Transforms.Hashing", "Benji.Store.Storages", "Benji.Store.Model",
        ],
        ["Benji.Store.Catalogs"] = ["Benji.Store.Posix", "Benji.Store.Model"],
        ["Benji.Store.Catalogs.LiteDb"] =
        [
            "Benji.Store.Catalogs", "Benji.Store.Catalogs.LiteDb.Roles", "Benji.Store.Catalogs.LiteDb.Disk",
            "Benji.Store.Posix", "Benji.Store.Model",
        ],
        ["Benji.Store.Catalogs.LiteDb.Roles"] = ["Benji.Store.Catalogs", "Benji.Store.Model"],
        ["Benji.Store.Catalogs.LiteDb.Disk"] = ["Benji.Store.Posix", "Benji.Store.Model"],
        ["Benji.Store.Sources"] = ["Benji.Store.Sources.Files", "Benji.Store.Posix", "Benji.Store.Model"],
        ["Benji.Store.Sources.Files"] = ["Benji.Store.Sources", "Benji.Store.Posix", "Benji.Store.Model"],
        ["Benji.Store.Storages"] = ["Benji.Store.Posix", "Benji.Store.Model"],
        ["Benji.Store.Storages.Files"] = ["Benji.Store.Storages", "Benji.Store.Posix", "Benji.Store.Model"],
        ["Benji.Store.Storages.Wrappers"] = ["Benji.Store.Storages", "Benji.Store.Model"],
        ["Benji.Store.Transforms"] = ["Benji.Store.Transforms.Hashing", "Benji.Store.Model"],
        ["Benji.Store.Transforms.Hashing"] = ["Benji.Store.Model"],
        ["Benji.Store.Posix"] = [],
        ["Benji.Store.Model"] = [],

        ["Benji.Nbd"] = ["Benji.Nbd.*", "Benji.Store.Images", "Benji.Store.Sources", "Benji.Store.Model"],
        ["Benji.Nbd.Transport"] = ["Benji.Nbd.Session", "Benji.Store.Images", "Benji.Store.Model"],
        ["Benji.Nbd.Session"] = ["Benji.Nbd.Protocol", "Benji.Store.Images", "Benji.Store.Model"],
        ["Benji.Nbd.Client"] = ["Benji.Nbd.Protocol", "Benji.Store.Sources", "Benji.Store.Model"],
        ["Benji.Nbd.Protocol"] = [],

        ["Benji.Mount"] = ["Benji.Mount.*", "Benji.Store.Images", "Benji.Store.Model"],
        ["Benji.Mount.Session"] =
            ["Benji.Mount.Tree", "Benji.Mount.Kernel", "Benji.Store.Images", "Benji.Store.Model"],
        ["Benji.Mount.Tree"] = ["Benji.Store.Images", "Benji.Store.Model"],
        ["Benji.Mount.Kernel"] = [],

        ["Benji.Cli"] = ["Benji.Cli.*", "Benji.Nbd", "Benji.Mount", .. StoreFront],
        ["Benji.Cli.Commands"] =
        [
            "Benji.Cli", "Benji.Cli.Output", "Benji.Cli.Logging", "Benji.Cli.Completion", "Benji.Cli.Configuration",
            "Benji.Nbd", "Benji.Mount", .. StoreFront,
        ],
        ["Benji.Cli.Completion"] = ["Benji.Cli.Logging"],
        ["Benji.Cli.Logging"] = ["Benji.Cli", "Benji.Cli.Output", "Benji.Store.Operations", "Benji.Store.Model"],
        ["Benji.Cli.Output"] = ["Benji.Store.Operations", "Benji.Store.Model"],
        ["Benji.Cli.Configuration"] =
            ["Benji.Cli.Configuration.Yaml", "Benji.Store", "Benji.Store.Sources", "Benji.Store.Model"],
        ["Benji.Cli.Configuration.Yaml"] = ["Benji.Store.Model"],
    });

    /// <summary>What Benji.Store shows to the command line.</summary>
    private static string[] StoreFront =>
        ["Benji.Store", "Benji.Store.Images", "Benji.Store.Sources", "Benji.Store.Operations", "Benji.Store.Model"];

    [GeneratedRegex(@"\bBenji(?:\.[A-Z]\w*)+")]
    private static partial Regex BenjiName();

    [GeneratedRegex(@"^\s*(?:\w+ )*(?:class|struct|interface|enum|record) (\w+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [Fact]
    public void EveryFolderHasARowInTheTable() =>
        Assert.DoesNotContain(
            SourceTree.ProductFolders().Where(folder => SourceTree.CSharpFiles(folder).Any()),
            folder => !Allowed.ContainsKey(SourceTree.NamespaceOf(folder)));

    [Fact]
    public void TheNamespaceIsTheFolder()
    {
        var faults = new List<string>();
        foreach (var folder in SourceTree.ProductFolders())
        {
            foreach (var file in SourceTree.CSharpFiles(folder))
            {
                var name = NamespaceLine().Match(string.Join('\n', SourceTree.CodeLines(file)));
                if (name.Success && name.Groups[1].Value != SourceTree.NamespaceOf(folder))
                {
                    faults.Add($"{file} is in namespace {name.Groups[1].Value}");
                }
            }
        }

        SourceTree.AssertNone(faults);
    }

    [Fact]
    public void FoldersNameOnlyTheFoldersBelowThem()
    {
        var faults = new List<string>();
        foreach (var folder in SourceTree.ProductFolders())
        {
            foreach (var file in SourceTree.CSharpFiles(folder))
            {
                foreach (var line in SourceTree.CodeLines(file))
                {
                    faults.AddRange(BenjiName().Matches(line)
                        .Select(match => FolderOf(match.Value))
                        .Where(named => named != null && !Names(SourceTree.NamespaceOf(folder), named))
                        .Select(named => $"{file} names {named}"));
                }
            }
        }

        SourceTree.AssertNone(faults);
    }

    /// <summary>C# sees the types of enclosing namespaces without a using; the table holds for them too.</summary>
    [Fact]
    public void FoldersDoNotNameTypesOfTheFolderAboveThem()
    {
        var declared = SourceTree.ProductFolders().ToDictionary(SourceTree.NamespaceOf, DeclaredIn);
        var faults = new List<string>();
        foreach (var folder in SourceTree.ProductFolders())
        {
            var own = SourceTree.NamespaceOf(folder);
            foreach (var (above, types) in declared)
            {
                if (own.StartsWith(above + ".", StringComparison.Ordinal) && !Names(own, above))
                {
                    faults.AddRange(NamedIn(folder, types.Except(declared[own])));
                }
            }
        }

        SourceTree.AssertNone(faults);
    }

    private static IEnumerable<string> NamedIn(string folder, IEnumerable<string> types)
    {
        var forbidden = types.ToHashSet();
        foreach (var file in SourceTree.CSharpFiles(folder))
        {
            var words = Word().Matches(string.Join('\n', SourceTree.CodeLines(file))).Select(match => match.Value);
            foreach (var type in words.Where(forbidden.Contains).Distinct())
            {
                yield return $"{file} names {type}";
            }
        }
    }

    private static HashSet<string> DeclaredIn(string folder) =>
        [.. SourceTree.CSharpFiles(folder)
            .SelectMany(file => Declaration().Matches(string.Join('\n', SourceTree.CodeLines(file))))
            .Select(match => match.Groups[1].Value)
            // Every folder logs through its project's one list of messages.
            .Where(type => type != "Log")];

    [GeneratedRegex(@"(?<![.""])\b\w+\b")]
    private static partial Regex Word();

    private static bool Names(string folder, string named) =>
        folder == named || (Allowed.TryGetValue(folder, out var allowed) && allowed.Contains(named));

    /// <summary>Finds the folder of a dotted name: the longest of its beginnings that has a row; null when it is none
    /// of the product's, such as a name of the test projects.</summary>
    private static string? FolderOf(string name) =>
        Allowed.Keys
            .Where(folder => name == folder || name.StartsWith(folder + ".", StringComparison.Ordinal))
            .MaxBy(folder => folder.Length);

    /// <summary>Writes out the rows that end in <c>.*</c>: every folder below.</summary>
    private static Dictionary<string, string[]> Expand(Dictionary<string, string[]> table) =>
        table.ToDictionary(row => row.Key, row => row.Value.SelectMany(name => Below(table, name)).ToArray());

    private static IEnumerable<string> Below(Dictionary<string, string[]> table, string name) =>
        name.EndsWith(".*", StringComparison.Ordinal)
            ? table.Keys.Where(folder => folder.StartsWith(name[..^1], StringComparison.Ordinal))
            : [name];
}
