using System.Buffers;
using System.Security.Cryptography;
using Benji.Store.Posix;
using Benji.Store.Posix.Directories;

namespace Benji.Store.Storages.Files;

/// <summary>Gives a staged file its name in a directory on another mount, into which no rename leads: by a durable copy beside
/// the name.</summary>
/// <remarks>What a dead run left of such copies is deleted by a later one in the same directory: regular files of exactly these
/// names that are older than an hour by the clock of their own file system. Their names start with a dot, so that no listing
/// sees them. Fails with <see cref="PosixException"/>.</remarks>
internal static class MountCrossing
{
    private const string Suffix = ".tmp";
    private const int RandomLength = 16;
    private const int BufferLength = 1 << 20;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");
    private static readonly TimeSpan CopyAge = TimeSpan.FromHours(1);

    /// <summary>Copies a file and deletes it where it was; the new name is not yet durable.</summary>
    /// <param name="root">The storage's directory.</param>
    /// <param name="source">The staged file.</param>
    /// <param name="target">Its name.</param>
    /// <param name="mustBeNew">True to replace nothing.</param>
    /// <returns>False when the name is taken; the staged file is still there then.</returns>
    public static bool TryMove(RootDirectory root, string source, string target, bool mustBeNew)
    {
        var copy = NewNameBeside(target);
        try
        {
            DeleteOld(root, DirectoryOf(target), Copy(root, source, copy));
            if (mustBeNew && !root.TryRenameNew(copy, target))
            {
                root.Delete(copy);
                return false;
            }

            if (!mustBeNew)
            {
                root.Rename(copy, target);
            }
        }
        catch
        {
            TryDelete(root, copy);
            throw;
        }

        root.Delete(source);
        return true;
    }

    /// <summary>Returns a name in the directory of another one that nobody else uses, and that a later run may delete.</summary>
    public static string NewNameBeside(string path) =>
        $"{DirectoryOf(path)}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(RandomLength))}{Suffix}";

    private static string DirectoryOf(string path) => path[..(path.LastIndexOf('/') + 1)];

    // Returns the time of the copy.
    private static DateTimeOffset Copy(RootDirectory root, string source, string copy)
    {
        using var from = root.Open(source, OpenFlags.Read);
        using var to = root.Open(copy, OpenFlags.Write | OpenFlags.Create | OpenFlags.Exclusive);
        var buffer = new byte[BufferLength];
        for (var offset = 0L; ;)
        {
            var length = PosixFile.Read(from, root.PathOf(source), offset, buffer);
            if (length == 0)
            {
                break;
            }

            PosixFile.Write(to, root.PathOf(copy), offset, buffer.AsSpan(0, length));
            offset += length;
        }

        PosixFile.SyncData(to, root.PathOf(copy));
        return FileStatus.Of(to, root.PathOf(copy)).Modified;
    }

    private static void DeleteOld(RootDirectory root, string directory, DateTimeOffset now)
    {
        foreach (var name in root.List(directory.TrimEnd('/')).Where(IsCopy).Select(name => directory + name))
        {
            if (root.Find(name) is { Kind: FileKind.Regular } status && (now - status.Modified).Duration() > CopyAge)
            {
                root.Delete(name);
            }
        }
    }

    private static bool IsCopy(string name) => name.Length == 1 + (2 * RandomLength) + Suffix.Length
        && name[0] == '.'
        && name.EndsWith(Suffix, StringComparison.Ordinal)
        && !name.AsSpan(1, 2 * RandomLength).ContainsAnyExcept(Digits);

    // On the way out of a failure, which stays the one that is reported; a later run deletes what is left.
    private static void TryDelete(RootDirectory root, string copy)
    {
        try
        {
            root.Delete(copy);
        }
        catch (PosixException)
        {
            // Said above.
        }
    }
}
