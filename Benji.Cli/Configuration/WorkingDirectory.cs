namespace Benji.Cli.Configuration;

/// <summary>The directory that relative paths start from, which may have been removed meanwhile.</summary>
internal static class WorkingDirectory
{
    // The kernel leads from here to the directory itself, or says that it is gone.
    private const string Unnamed = "/proc/self/cwd";

    /// <summary>Its path, or one that stands for it where it has none any more: a command that needs none runs.</summary>
    public static string Path
    {
        get
        {
            try
            {
                return Environment.CurrentDirectory;
            }
            catch (IOException)
            {
                return Unnamed;
            }
        }
    }

    /// <summary>True where it was removed.</summary>
    public static bool IsGone => Path == Unnamed;
}
