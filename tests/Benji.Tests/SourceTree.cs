using Benji.Testing;
using Xunit;

namespace Benji.Tests;

/// <summary>The sources of the working copy, as the tests of the house plan read them.</summary>
internal static class SourceTree
{
    private static readonly string[] Products = ["Benji.Store", "Benji.Nbd", "Benji.Mount", "Benji.Cli"];

    /// <summary>Every directory of the repository that holds sources, relative to its root.</summary>
    public static IEnumerable<string> Folders()
    {
        var waiting = new Stack<string>([.. Products, "tests", "scripts"]);
        while (waiting.TryPop(out var folder))
        {
            yield return folder;
            foreach (var child in Directory.EnumerateDirectories(Repository.PathOf(folder)))
            {
                var name = Path.GetFileName(child);
                if (name is not ("bin" or "obj" or "TestResults" or "__pycache__"))
                {
                    waiting.Push(Path.Combine(folder, name));
                }
            }
        }
    }

    /// <summary>The directories of the product's four projects.</summary>
    public static IEnumerable<string> ProductFolders() =>
        Folders().Where(folder => Products.Contains(folder.Split('/')[0]));

    /// <summary>The C# files that stand in a folder itself, relative to the root.</summary>
    public static IEnumerable<string> CSharpFiles(string folder) =>
        Directory.EnumerateFiles(Repository.PathOf(folder), "*.cs")
            .Select(file => Path.GetRelativePath(Repository.Root, file));

    /// <summary>The lines of a file without those that are comments.</summary>
    public static IEnumerable<string> CodeLines(string file) =>
        File.ReadLines(Repository.PathOf(file))
            .Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal));

    /// <summary>The namespace that the files of a folder have.</summary>
    public static string NamespaceOf(string folder) => folder.Replace('/', '.');

    /// <summary>Fails with every fault, one a line.</summary>
    public static void AssertNone(IEnumerable<string> faults)
    {
        var lines = string.Join('\n', faults.Distinct());
        if (lines.Length > 0)
        {
            Assert.Fail(lines);
        }
    }
}
