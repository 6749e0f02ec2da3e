using Benji.Store.Posix;

namespace Benji.Testing;

/// <summary>What a directory outside of a store holds, to show that nothing there was changed.</summary>
public static class FolderSnapshot
{
    /// <summary>Returns a line for every name below a directory: its kind, mode, time, and bytes or link target.</summary>
    public static string Take(string directory) => string.Join(
        '\n',
        Directory.EnumerateFileSystemEntries(directory, "*", SearchOption.AllDirectories)
            .Append(directory)
            .Order(StringComparer.Ordinal)
            .Select(Describe));

    private static string Describe(string path)
    {
        var status = FileStatus.Find(path, followLink: false)!.Value;
        var content = status.Kind switch
        {
            FileKind.Regular => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path))),
            FileKind.SymbolicLink => new FileInfo(path).LinkTarget,
            _ => "",
        };
        return $"{path} {status.Kind} {status.Mode} {status.Links} {status.Modified.Ticks} {content}";
    }
}
