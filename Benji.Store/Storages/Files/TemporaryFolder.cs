using System.Security.Cryptography;
using Benji.Store.Posix;

namespace Benji.Store.Storages.Files;

/// <summary>This run's own directory for unfinished objects, below <c>.tmp</c> of a storage; clears those of dead runs.</summary>
/// <remarks>Beside the directory stands a lock file that the kernel lets go when the run dies, so what may be cleared is
/// known without a clock or a process id. No object's name starts with a dot, so no listing sees it. Fails with
/// <see cref="PosixException"/>.</remarks>
internal sealed class TemporaryFolder : IDisposable
{
    /// <summary>The directory in a storage that holds the directories of all runs.</summary>
    public const string Name = ".tmp";

    private const string LockSuffix = ".lock";

    private readonly FileLock _lock;

    private TemporaryFolder(string path, FileLock @lock)
    {
        Path = path;
        _lock = @lock;
    }

    /// <summary>The directory, for this run alone.</summary>
    public string Path { get; }

    /// <summary>Clears what dead runs left in a storage, then makes a directory for this one.</summary>
    public static TemporaryFolder Create(string root)
    {
        var all = System.IO.Path.Combine(root, Name);
        PosixDirectory.TryCreate(all);

        // Says so with an error number when the directory is not ours to list.
        PosixFile.Open(all, OpenFlags.Directory).Dispose();
        foreach (var lockPath in Directory.GetFiles(all, "*" + LockSuffix))
        {
            ClearIfDead(lockPath);
        }

        while (true)
        {
            var path = System.IO.Path.Combine(all, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
            var @lock = FileLock.Open(path + LockSuffix);

            // Another run may have taken the file for a dead run's before it was locked; then another name is tried.
            if (@lock.TryAcquire() && @lock.IsCurrent())
            {
                return Make(path, @lock);
            }

            @lock.Dispose();
        }
    }

    /// <summary>Removes the directory with what is left in it.</summary>
    public void Dispose()
    {
        Remove(Path);
        PosixFile.TryDelete(Path + LockSuffix);
        _lock.Dispose();
    }

    private static TemporaryFolder Make(string path, FileLock @lock)
    {
        try
        {
            PosixDirectory.TryCreate(path);
            return new TemporaryFolder(path, @lock);
        }
        catch
        {
            // A full disk, on which every put comes here.
            PosixFile.TryDelete(path + LockSuffix);
            @lock.Dispose();
            throw;
        }
    }

    private static void ClearIfDead(string lockPath)
    {
        try
        {
            using var @lock = FileLock.OpenExisting(lockPath);
            if (@lock is not null && @lock.TryAcquire())
            {
                Remove(lockPath[..^LockSuffix.Length]);
                PosixFile.TryDelete(lockPath);
            }
        }
        catch (PosixException failure) when (failure.Errno is Errno.AccessDenied or Errno.NotPermitted)
        {
            // Another user's run, dead or alive: only that user, or root, can clear it.
        }
    }

    // What cannot be removed stays, harmless and out of sight, until a later run can.
    private static void Remove(string path)
    {
        if (!Directory.Exists(path))
        {
            return;
        }

        foreach (var file in Directory.GetFiles(path))
        {
            PosixFile.TryDelete(file);
        }

        PosixDirectory.TryDelete(path);
    }
}
