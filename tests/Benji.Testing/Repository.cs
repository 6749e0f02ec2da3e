namespace Benji.Testing;

/// <summary>Finds the files of the working copy that the tests were built from.</summary>
public static class Repository
{
    /// <summary>The absolute path of the directory that holds <c>Benji.sln</c>.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The absolute path of a file or directory, named by its parts from the root.</summary>
    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        for (; directory != null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Benji.sln")))
            {
                return directory.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No directory above {AppContext.BaseDirectory} holds Benji.sln");
    }
}
