using System.Globalization;
using Benji.Store.Posix;

namespace Benji.Store.Storages.Files;

/// <summary>Puts and deletes objects as files, in the order that a crash at any point cannot turn into a torn or lost object.
/// </summary>
/// <remarks>Contents are durable before they are named, names are durable before success is reported, and so are the
/// directories on the way to them, whoever created those. Safe for concurrent calls. Fails with
/// <see cref="PosixException"/>.</remarks>
internal sealed class ObjectFileWriter(IObjectFiles files, Func<string> temporaryDirectory)
{
    private readonly Lock _directoriesLock = new();

    // Directories below the root that this run knows to be durable. A directory that another run has just created is not,
    // until its parent was synced. At most some 131,000 short names (two levels of hexadecimal digits, twice) and the volumes.
    private readonly HashSet<string> _durableDirectories = new(StringComparer.Ordinal);
    private readonly SpareFile _spare = new(files, $"{TemporaryFolder.Name}/spare");
    private long _lastTemporary;

    /// <summary>Writes an object's bytes to a temporary file, which is not durable.</summary>
    /// <returns>The file, given to the caller, who passes it to <see cref="Publish"/> or <see cref="Abandon"/>.</returns>
    public IStagedFile Stage(ReadOnlyMemory<byte> content)
    {
        try
        {
            return files.Write(NewTemporaryPath(), content);
        }
        catch (PosixException failure) when (failure.Errno is Errno.NoSpace or Errno.QuotaExceeded)
        {
            if (_spare.TryTake(content) is { } file)
            {
                return file;
            }

            throw;
        }
    }

    /// <summary>Makes staged objects durable, then visible, and that durable too.</summary>
    /// <param name="staged">The objects by name; each is removed once it is visible, and its file closed.</param>
    /// <param name="mustBeNew">Those of them that replace nothing.</param>
    /// <returns>Those of these whose names were taken; they are given up.</returns>
    public IReadOnlyList<ObjectName> Publish(
        Dictionary<ObjectName, IStagedFile> staged, IReadOnlySet<ObjectName> mustBeNew)
    {
        if (staged.Count == 0)
        {
            return [];
        }

        var taken = new List<ObjectName>();

        files.SyncFiles(staged.Values);
        var names = staged.Keys.ToArray();
        foreach (var name in names)
        {
            var file = staged[name];
            var isNamed = true;
            InDirectory(name, () =>
            {
                if (mustBeNew.Contains(name))
                {
                    isNamed = files.TryRenameNew(file.Path, name.Value);
                }
                else
                {
                    files.Rename(file.Path, name.Value);
                }
            });
            staged.Remove(name);
            if (isNamed)
            {
                file.Dispose();
            }
            else
            {
                Abandon(file);
                taken.Add(name);
            }
        }

        SyncDirectoriesOf(names);
        _spare.Keep(NewTemporaryPath, isDeletion: false);
        return taken;
    }

    /// <summary>Creates an object unless its name is taken; what has the name is durable when it returns.</summary>
    public bool TryCreate(ObjectName name, ReadOnlyMemory<byte> content)
    {
        var file = Stage(content);
        try
        {
            files.SyncFiles([file]);
            var isNew = false;
            InDirectory(name, () => isNew = files.TryRenameNew(file.Path, name.Value));
            if (isNew)
            {
                file.Dispose();
            }
            else
            {
                Abandon(file);
            }

            // Also for an object that is in the way: whoever made it may not have come this far, and the caller relies on it.
            SyncDirectoriesOf([name]);
            _spare.Keep(NewTemporaryPath, isDeletion: false);
            return isNew;
        }
        catch
        {
            Abandon(file);
            throw;
        }
    }

    /// <summary>Deletes objects; missing ones count as deleted. Durable when it returns.</summary>
    public void Delete(IReadOnlyList<ObjectName> names)
    {
        if (names.Count == 0)
        {
            return;
        }

        foreach (var name in names)
        {
            files.Delete(name.Value);
        }

        // Also where nothing was deleted: another run may have, and not synced it yet.
        files.SyncDirectories(names.Select(DirectoryOf).ToHashSet(StringComparer.Ordinal));
        _spare.Keep(NewTemporaryPath, isDeletion: true);
    }

    /// <summary>Deletes an object only while its bytes are these; a missing one counts as deleted. Durable when it returns true.
    /// </summary>
    /// <returns>False when its bytes are others.</returns>
    public bool TryDelete(ObjectName name, ReadOnlyMemory<byte> expected)
    {
        var isGone = files.Holds(name.Value, expected) ? TryTake(name, expected) : !files.Exists(name.Value);
        files.SyncDirectories([DirectoryOf(name)]);
        _spare.Keep(NewTemporaryPath, isDeletion: true);
        return isGone;
    }

    /// <summary>Closes and deletes a staged file that will not be published; never fails.</summary>
    /// <remarks>What cannot be deleted stays in the temporary directory, which the next run clears.</remarks>
    public void Abandon(IStagedFile file)
    {
        file.Dispose();
        if (_spare.Is(file))
        {
            return;
        }

        try
        {
            files.Delete(file.Path);
        }
        catch (PosixException)
        {
            // Said above; the failure that brought us here is the one to report.
        }
    }

    // Somebody may put another object there after the comparison, so it is compared once more where only this run knows it. The
    // other one gets its name back, unless a still newer one has it by then.
    private bool TryTake(ObjectName name, ReadOnlyMemory<byte> expected)
    {
        string? away;
        try
        {
            away = files.TakeAway(name.Value, NewTemporaryPath());
        }
        catch (PosixException failure) when (failure.Errno is Errno.NoSpace or Errno.QuotaExceeded)
        {
            // What makes room on a full disk must not need any.
            files.Delete(name.Value);
            return true;
        }

        if (away is null)
        {
            return true;
        }

        try
        {
            if (files.Holds(away, expected))
            {
                files.Delete(away);
                return true;
            }
        }
        catch (PosixException)
        {
            PutBack(away, name);
            throw;
        }

        PutBack(away, name);
        return false;
    }

    private void PutBack(string away, ObjectName name)
    {
        if (!files.TryRenameNew(away, name.Value))
        {
            files.Delete(away);
        }
    }

    private string NewTemporaryPath() => string.Create(
        CultureInfo.InvariantCulture, $"{temporaryDirectory()}/{Interlocked.Increment(ref _lastTemporary)}");

    // The empty string is the root itself.
    private static string DirectoryOf(ObjectName name) => ParentOf(name.Value);

    private static string ParentOf(string name) => name[..Math.Max(0, name.LastIndexOf('/'))];

    // Directories from the object's own up to the one below the root.
    private static IEnumerable<string> DirectoriesOf(ObjectName name)
    {
        for (var directory = DirectoryOf(name); directory.Length > 0; directory = ParentOf(directory))
        {
            yield return directory;
        }
    }

    // Runs an action that needs the object's directory, creating that where it is missing.
    private void InDirectory(ObjectName name, Action action)
    {
        if (IsDurable(DirectoryOf(name)))
        {
            try
            {
                action();
                return;
            }
            catch (PosixException failure) when (failure.Errno == Errno.NotFound)
            {
                // Somebody removed the directory behind our back: what was known of it no longer holds.
                Forget(name);
            }
        }

        foreach (var directory in DirectoriesOf(name).Reverse())
        {
            files.TryCreateDirectory(directory);
        }

        action();
    }

    private void SyncDirectoriesOf(IReadOnlyCollection<ObjectName> names)
    {
        var touched = names.Select(DirectoryOf).ToHashSet(StringComparer.Ordinal);
        var unknown = names.SelectMany(DirectoriesOf).Where(directory => !IsDurable(directory))
            .ToHashSet(StringComparer.Ordinal);
        touched.UnionWith(unknown.Select(ParentOf));
        files.SyncDirectories(touched);
        lock (_directoriesLock)
        {
            _durableDirectories.UnionWith(unknown);
        }
    }

    private bool IsDurable(string directory)
    {
        lock (_directoriesLock)
        {
            return directory.Length == 0 || _durableDirectories.Contains(directory);
        }
    }

    private void Forget(ObjectName name)
    {
        lock (_directoriesLock)
        {
            _durableDirectories.ExceptWith(DirectoriesOf(name));
        }
    }
}
