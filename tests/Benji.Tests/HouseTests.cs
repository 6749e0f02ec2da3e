using System.Text.RegularExpressions;
using Benji.Testing;
using Xunit;

namespace Benji.Tests;

/// <summary>Keeps the sizes and names of docs/house.md section 3 true.</summary>
public partial class HouseTests
{
    private const int LinesMax = 300;
    private const int FilesMax = 15;

    /// <summary>The folders that hold one file for each verb.</summary>
    private static readonly string[] VerbFolders = ["Operations", "Commands"];

    [GeneratedRegex(@"#pragma warning disable (?!.*//)|<NoWarn>(?!\$\(NoWarn\);CS1591;CA1707)")]
    private static partial Regex BareSuppression();

    [Fact]
    public void NoFileIsLongerThanThreeHundredLines() =>
        SourceTree.AssertNone(Sources()
            .Select(file => (file, lines: File.ReadLines(Repository.PathOf(file)).Count()))
            .Where(found => found.lines > LinesMax)
            .Select(found => $"{found.file} has {found.lines} lines"));

    [Fact]
    public void NoFolderIsADrawerForEverything() =>
        Assert.DoesNotContain(
            SourceTree.Folders(),
            folder => Path.GetFileName(folder) is "Common" or "Utils" or "Utilities" or "Helpers" or "Shared");

    [Fact]
    public void NoFolderHoldsTwoIdeas() =>
        SourceTree.AssertNone(SourceTree.Folders()
            .Where(folder => !VerbFolders.Contains(Path.GetFileName(folder)))
            .Select(folder => (folder, files: SourceTree.CSharpFiles(folder).Count()))
            .Where(found => found.files > FilesMax)
            .Select(found => $"{found.folder} has {found.files} files"));

    [Fact]
    public void EverySuppressionSaysWhy() =>
        SourceTree.AssertNone(SourceTree.Folders()
            .SelectMany(SourceTree.CSharpFiles)
            .SelectMany(file => SourceTree.CodeLines(file).Select(line => (file, line)))
            .Where(found => !found.line.Contains("GeneratedRegex", StringComparison.Ordinal))
            .Where(found => BareSuppression().IsMatch(found.line))
            .Select(found => $"{found.file}: {found.line.Trim()}"));

    /// <summary>C# and Python files and scripts.</summary>
    private static IEnumerable<string> Sources() =>
        SourceTree.Folders()
            .SelectMany(folder => Directory.EnumerateFiles(Repository.PathOf(folder)))
            .Where(file => Path.GetExtension(file) is ".cs" or ".py" or "")
            .Where(file => !file.Contains("/vectors/", StringComparison.Ordinal))
            .Select(file => Path.GetRelativePath(Repository.Root, file));
}
