using Benji.Store.Posix;

namespace Benji.Store.Storages.Files;

/// <summary>Walks a storage's directory and yields the objects in it, one directory in memory at a time.</summary>
internal static class FileListing
{
    /// <summary>Lists the objects below <paramref name="prefix"/>, each once.</summary>
    /// <param name="root">The storage's directory.</param>
    /// <param name="prefix">A directory below it, ending in a slash, or empty.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    /// <remarks>Passes over what is not a regular file, symbolic links included, and over names that no object has.
    /// Fails with <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.</remarks>
    public static IEnumerable<ObjectInfo> List(string root, string prefix, CancellationToken cancellationToken)
    {
        var waiting = new Stack<string>();
        waiting.Push(prefix);
        while (waiting.TryPop(out var directory))
        {
            foreach (var entry in EntriesOf(Path.Combine(root, directory)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var name = directory + entry;
                if (!ObjectName.IsValid(name) ||
                    FileStatus.Find(Path.Combine(root, name), followLink: false) is not { } status)
                {
                    continue;
                }

                if (status.Kind == FileKind.Directory)
                {
                    waiting.Push(name + "/");
                }
                else if (status.Kind == FileKind.Regular)
                {
                    yield return new ObjectInfo(new ObjectName(name), status.Size, status.Modified);
                }
            }
        }
    }

    // All names at once: some file systems name an entry twice to a reader when it is replaced while being read.
    private static HashSet<string> EntriesOf(string directory)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(directory).Select(path => Path.GetFileName(path))
                .ToHashSet(StringComparer.Ordinal);
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }
}
