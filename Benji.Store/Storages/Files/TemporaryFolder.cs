using System.Buffers;
using System.Security.Cryptography;
using Benji.Store.Posix;
using Benji.Store.Posix.Directories;

namespace Benji.Store.Storages.Files;

/// <summary>This run's own directory for unfinished objects, below <c>.tmp</c> of a storage; clears those of dead runs.</summary>
/// <remarks>Beside the directory stands a lock file that the kernel lets go when the run dies, so what may be cleared is
/// known without a clock or a process id. Only what runs make is deleted: regular files whose names are numbers, in
/// directories whose names are 32 hexadecimal digits. Links and everything else stay. No object's name starts with a dot, so
/// no listing sees it. Fails with <see cref="PosixException"/>.</remarks>
internal sealed class TemporaryFolder : IDisposable
{
    /// <summary>The directory in a storage that holds the directories of all runs.</summary>
    public const string Name = ".tmp";

    private const string LockSuffix = ".lock";
    private const int RandomLength = 16;
    private const int FileNameLengthMax = 19;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    private readonly RootDirectory _root;
    private readonly FileLock _lock;

    private TemporaryFolder(RootDirectory root, string path, FileLock @lock)
    {
        _root = root;
        Path = path;
        _lock = @lock;
    }

    /// <summary>The directory, for this run alone; relative to the storage's.</summary>
    public string Path { get; }

    /// <summary>Clears what dead runs left in a storage, then makes a directory for this one.</summary>
    public static TemporaryFolder Create(RootDirectory root)
    {
        root.TryCreateDirectory(Name);
        foreach (var name in root.List(Name).Where(IsLock))
        {
            ClearIfDead(root, $"{Name}/{name[..^LockSuffix.Length]}");
        }

        while (true)
        {
            var path = $"{Name}/{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(RandomLength))}";

            // Another run may have taken the file for a dead run's before it was locked; then another name is tried.
            var @lock = root.OpenLock(path + LockSuffix, mayCreate: true);
            if (@lock is not null && @lock.TryAcquire() && @lock.IsCurrent())
            {
                return Make(root, path, @lock);
            }

            @lock?.Dispose();
        }
    }

    /// <summary>Removes the directory with what is left in it.</summary>
    public void Dispose()
    {
        TryRemove(_root, Path);
        _lock.Dispose();
    }

    private static bool IsLock(string name) => name.EndsWith(LockSuffix, StringComparison.Ordinal)
        && name.Length == (2 * RandomLength) + LockSuffix.Length
        && !name.AsSpan(0, 2 * RandomLength).ContainsAnyExcept(Digits);

    private static bool IsFile(string name) =>
        name.Length <= FileNameLengthMax && !name.AsSpan().ContainsAnyExceptInRange('0', '9');

    private static TemporaryFolder Make(RootDirectory root, string path, FileLock @lock)
    {
        try
        {
            root.TryCreateDirectory(path);
            return new TemporaryFolder(root, path, @lock);
        }
        catch
        {
            // A full disk, on which every put comes here.
            TryRemove(root, path);
            @lock.Dispose();
            throw;
        }
    }

    private static void ClearIfDead(RootDirectory root, string path)
    {
        try
        {
            using var @lock = root.OpenLock(path + LockSuffix, mayCreate: false);
            if (@lock is not null && @lock.TryAcquire())
            {
                TryRemove(root, path);
            }
        }
        catch (LinkInTheWayException)
        {
            // No run made it.
        }
        catch (PosixException failure) when (failure.Errno is Errno.AccessDenied or Errno.NotPermitted)
        {
            // Another user's run, dead or alive: only that user, or root, can clear it.
        }
    }

    // What cannot be removed stays, harmless and out of sight, with its lock, until a later run can.
    private static void TryRemove(RootDirectory root, string path) => Try(() =>
    {
        if (root.Find(path) is { Kind: FileKind.Directory })
        {
            foreach (var name in root.List(path).Where(IsFile))
            {
                Try(() => root.Delete($"{path}/{name}"));
            }

            root.DeleteDirectory(path);
        }

        root.Delete(path + LockSuffix);
    });

    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (PosixException)
        {
            // A link or something else that no run made, or a failing disk, which whoever writes next tells of.
        }
    }
}
