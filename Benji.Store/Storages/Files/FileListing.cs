using Benji.Store.Posix;
using Benji.Store.Posix.Directories;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Storages.Files;

/// <summary>Something in a storage's directory that has a name as objects have, whatever it is.</summary>
internal readonly record struct ListedFile(ObjectName Name, FileStatus Status);

/// <summary>Walks a storage's directory and yields what is in it, one directory in memory at a time.</summary>
internal static class FileListing
{
    /// <summary>Lists what is below <paramref name="prefix"/>, each once, directories included.</summary>
    /// <param name="root">The storage's directory.</param>
    /// <param name="prefix">A directory below it, ending in a slash, or empty.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    /// <remarks>Passes over names that no object has. Fails with <see cref="PosixException"/>; a symbolic link with a name
    /// that an object could have fails with <see cref="LinkInTheWayException"/>.</remarks>
    public static IEnumerable<ListedFile> List(RootDirectory root, string prefix, CancellationToken cancellationToken)
    {
        var waiting = new Stack<string>();
        waiting.Push(prefix.TrimEnd('/'));
        while (waiting.TryPop(out var directory))
        {
            using var opened = TryOpen(root, directory);
            foreach (var entry in opened is null ? [] : DirectoryEntries.Read(opened, root.PathOf(directory)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var name = directory.Length == 0 ? entry : $"{directory}/{entry}";
                if (!ObjectName.IsValid(name) || FileStatus.FindIn(opened!, entry, root.PathOf(name)) is not { } status)
                {
                    continue;
                }

                if (status.Kind == FileKind.SymbolicLink)
                {
                    throw new LinkInTheWayException(root.Path, root.PathOf(name));
                }

                if (status.Kind == FileKind.Directory)
                {
                    waiting.Push(name);
                }

                yield return new ListedFile(new ObjectName(name), status);
            }
        }
    }

    // A directory that is missing holds nothing, nor does the name of an object.
    private static SafeFileHandle? TryOpen(RootDirectory root, string directory)
    {
        try
        {
            return root.Open(directory, OpenFlags.Directory);
        }
        catch (PosixException failure) when (failure.Errno == Errno.NotFound
            || (failure.Errno == Errno.NotDirectory && root.Find(directory) is null or { Kind: FileKind.Regular }))
        {
            return null;
        }
    }
}
