using System.Security.Cryptography;

namespace Benji.Store.Posix;

/// <summary>Writes small files the one safe way: a temporary file beside, sync, rename, sync the directory.</summary>
/// <remarks>Safe for concurrent calls, also of several processes: the last rename wins as a whole.</remarks>
internal static class DurableFile
{
    /// <summary>Creates or replaces a file; durable under its name when it returns.</summary>
    /// <param name="path">Its directory must exist.</param>
    /// <param name="content">All of its bytes.</param>
    /// <param name="mode">Its exact permissions.</param>
    /// <exception cref="PosixException">The old file, or none, stands; after a failed last sync the new one may.</exception>
    public static void Replace(
        string path, ReadOnlySpan<byte> content, UnixFileMode mode = PosixFile.PrivateMode)
    {
        var temporary = WriteBeside(path, content, mode);
        try
        {
            PosixFile.Rename(temporary, path);
        }
        catch
        {
            PosixFile.TryDelete(temporary);
            throw;
        }

        PosixDirectory.Sync(DirectoryOf(path));
    }

    /// <summary>Creates a file unless the name is taken; durable under its name when it returns true.</summary>
    /// <returns>False when something has the name, which is then unchanged.</returns>
    /// <exception cref="PosixException">It could not be created; after a failed last sync it may stand.</exception>
    public static bool TryCreate(
        string path, ReadOnlySpan<byte> content, UnixFileMode mode = PosixFile.PrivateMode)
    {
        var temporary = WriteBeside(path, content, mode);
        try
        {
            if (!PosixFile.TryRenameNew(temporary, path))
            {
                PosixFile.Delete(temporary);
                return false;
            }
        }
        catch
        {
            PosixFile.TryDelete(temporary);
            throw;
        }

        PosixDirectory.Sync(DirectoryOf(path));
        return true;
    }

    /// <summary>Deletes a file, durably.</summary>
    /// <returns>False when there was none.</returns>
    /// <exception cref="PosixException">It could not be deleted, or it may come back after a crash.</exception>
    public static bool Delete(string path)
    {
        var existed = PosixFile.Delete(path);
        PosixDirectory.Sync(DirectoryOf(path));
        return existed;
    }

    private static string WriteBeside(string path, ReadOnlySpan<byte> content, UnixFileMode mode)
    {
        var random = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        var temporary = Path.Combine(DirectoryOf(path), $".{random}.tmp");
        using var file = PosixFile.Open(temporary, OpenFlags.Write | OpenFlags.Create | OpenFlags.Exclusive, mode);
        try
        {
            PosixFile.Write(file, temporary, 0, content);
            PosixFile.SyncData(file, temporary);
            return temporary;
        }
        catch
        {
            PosixFile.TryDelete(temporary);
            throw;
        }
    }

    private static string DirectoryOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path))!;
}
