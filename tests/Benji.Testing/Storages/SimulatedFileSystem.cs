using Benji.Store.Posix;
using Benji.Store.Storages.Files;

namespace Benji.Testing.Storages;

/// <summary>What a simulated file system leaves out, to show that a crash test would notice.</summary>
internal enum SimulatedLie
{
    None,

    /// <summary>Syncing files does nothing.</summary>
    FilesAreNotSynced,

    /// <summary>Syncing directories does nothing.</summary>
    DirectoriesAreNotSynced,

    /// <summary>Syncing a directory does nothing for the directories in it.</summary>
    DirectoriesInDirectoriesAreNotSynced,
}

/// <summary>Says that the simulated machine stopped; nothing of the product catches it.</summary>
internal sealed class SimulatedCrashException() : Exception("The simulated machine stopped");

/// <summary>A directory in memory that keeps what is synced and what is not apart, and on a crash loses, reorders and tears
/// what is not.</summary>
/// <remarks>As weak as POSIX allows: unsynced entries reach the disk in any order and independently of the bytes they name; of
/// the bytes, any sectors do. Not safe for concurrent calls.</remarks>
internal sealed class SimulatedFileSystem : IObjectFiles
{
    private readonly SimulatedLie _lie;
    private readonly SimulatedNode _root = new(null);

    /// <summary>Creates a file system with durable, empty directories.</summary>
    public SimulatedFileSystem(SimulatedLie lie, params string[] directories)
    {
        _lie = lie;
        foreach (var path in directories)
        {
            var (parent, name) = Locate(path);
            parent.Set(name, new SimulatedNode(null));
            parent.Sync(entry => true);
        }
    }

    /// <summary>Steps until the machine stops; every call is one, and within a sync every file and directory.</summary>
    public int StepsToCrash { get; set; } = int.MaxValue;

    /// <summary>Steps until one call fails for want of space.</summary>
    public int StepsToFailure { get; set; } = int.MaxValue;

    /// <summary>True while every file and directory that is made fails for want of space.</summary>
    public bool IsFull { get; set; }

    /// <summary>Returns the bytes of a file as a reader sees them now, or null when there is none.</summary>
    public byte[]? Read(string path) => Find(path)?.Content;

    /// <summary>Turns the power off and on: what is then there is durable.</summary>
    /// <param name="random">Chooses what is left of what was not synced; null to leave nothing of it.</param>
    public void Crash(Random? random)
    {
        StepsToCrash = int.MaxValue;
        StepsToFailure = int.MaxValue;
        _root.Crash(random);
    }

    /// <summary>Removes a directory with all that is in it, durably, as somebody else does.</summary>
    public void RemoveDirectory(string path)
    {
        var (parent, name) = Locate(path);
        parent.Set(name, null);
        parent.Sync(_ => true);
    }

    /// <inheritdoc/>
    public IStagedFile Write(string path, ReadOnlyMemory<byte> content)
    {
        var (parent, name) = Locate(path);
        Step("create", path, needsSpace: true);
        if (parent.Entries.ContainsKey(name))
        {
            throw new PosixException("create", path, Errno.Exists);
        }

        var node = new SimulatedNode([]);
        parent.Set(name, node);
        node.Content = content.ToArray();
        return new StagedFile(path, node);
    }

    /// <inheritdoc/>
    public IStagedFile? TryOverwrite(string path, ReadOnlyMemory<byte> content)
    {
        if (Find(path) is not { Content: not null, IsTaken: false } node)
        {
            return null;
        }

        Step("write", path);
        (node.Content, node.IsSynced, node.IsTaken) = (content.ToArray(), false, true);
        return new StagedFile(path, node);
    }

    /// <inheritdoc/>
    public bool Exists(string path) => Find(path)?.Content is not null;

    /// <inheritdoc/>
    public void SyncFiles(IReadOnlyCollection<IStagedFile> files)
    {
        foreach (var file in files)
        {
            Step("sync", file.Path);
            ((StagedFile)file).Node.IsSynced = _lie != SimulatedLie.FilesAreNotSynced;
        }
    }

    /// <inheritdoc/>
    public void Rename(string source, string target)
    {
        var (sourceParent, sourceName) = Locate(source);
        var (targetParent, targetName) = Locate(target);
        Step("rename", source);
        targetParent.Set(targetName, sourceParent.Entries[sourceName]);
        sourceParent.Set(sourceName, null);
    }

    /// <inheritdoc/>
    public bool TryRenameNew(string source, string target)
    {
        var (parent, name) = Locate(target);
        if (parent.Entries.ContainsKey(name))
        {
            return false;
        }

        Rename(source, target);
        return true;
    }

    /// <inheritdoc/>
    public string? TakeAway(string path, string temporary)
    {
        if (!Exists(path))
        {
            return null;
        }

        Rename(path, temporary);
        return temporary;
    }

    /// <inheritdoc/>
    public bool Holds(string path, ReadOnlyMemory<byte> content) =>
        Find(path)?.Content is { } found && found.AsSpan().SequenceEqual(content.Span);

    /// <inheritdoc/>
    public bool TryCreateDirectory(string path)
    {
        var (parent, name) = Locate(path);
        Step("create directory", path, needsSpace: true);
        if (parent.Entries.ContainsKey(name))
        {
            return false;
        }

        parent.Set(name, new SimulatedNode(null));
        return true;
    }

    /// <inheritdoc/>
    public void SyncDirectories(IReadOnlyCollection<string> paths)
    {
        foreach (var path in paths)
        {
            Step("sync", path);
            if (Find(path) is { } directory && _lie != SimulatedLie.DirectoriesAreNotSynced)
            {
                directory.Sync(entry =>
                    _lie != SimulatedLie.DirectoriesInDirectoriesAreNotSynced || entry?.Content is not null);
            }
        }
    }

    /// <inheritdoc/>
    public bool Delete(string path)
    {
        if (Find(path)?.Content is null)
        {
            return false;
        }

        Step("delete", path);
        var (parent, name) = Locate(path);
        parent.Set(name, null);
        return true;
    }

    private void Step(string action, string path, bool needsSpace = false)
    {
        if (StepsToCrash-- <= 0)
        {
            throw new SimulatedCrashException();
        }

        if (StepsToFailure-- == 0 || (needsSpace && IsFull))
        {
            throw new PosixException(action, path, Errno.NoSpace);
        }
    }

    private SimulatedNode? Find(string path)
    {
        var node = _root;
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            node = node?.Entries.GetValueOrDefault(part);
        }

        return node;
    }

    private (SimulatedNode Parent, string Name) Locate(string path)
    {
        var slash = path.LastIndexOf('/');
        var parent = Find(path[..Math.Max(0, slash)]) ?? throw new PosixException("find", path, Errno.NotFound);
        return parent.Content is null
            ? (parent, path[(slash + 1)..])
            : throw new PosixException("find", path, Errno.NotDirectory);
    }

    private sealed class StagedFile(string path, SimulatedNode node) : IStagedFile
    {
        public string Path => path;

        public SimulatedNode Node => node;

        public void Dispose() => node.IsTaken = false;
    }
}
