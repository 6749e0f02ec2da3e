using System.Text.RegularExpressions;
using Xunit;

namespace Benji.Tests;

/// <summary>Keeps section 4 of docs/house.md true: a folder names only what its row lists.</summary>
public partial class LayeringTests
{
    private static readonly Dictionary<string, HashSet<string>> Allowed = LayeringTable.Read();

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
}
