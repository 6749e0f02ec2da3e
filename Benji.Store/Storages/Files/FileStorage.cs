using System.Runtime.CompilerServices;
using Benji.Store.Model;
using Benji.Store.Posix;
using Benji.Store.Posix.Directories;

namespace Benji.Store.Storages.Files;

/// <summary>A directory that holds one file for each object, under the object's name.</summary>
/// <remarks>Files are 0600 and directories 0700, whatever the umask. Several processes may use one directory at once, also
/// over a network file system that locks. Nothing is written before the first put. No symbolic link is followed below the
/// directory: one in the way fails every call with <see cref="ConfigurationException"/>. All work is synchronous.</remarks>
internal sealed class FileStorage : IStorage
{
    // One sync serves a batch, so its price per object falls with the batch; beyond these it no longer does.
    private const long BatchBytes = 256L << 20;
    private const int BatchObjects = 512;

    private readonly RootDirectory _root;
    private readonly FileStorageErrors _errors;
    private readonly ObjectFileWriter _writer;
    private readonly Lock _temporaryLock = new();
    private TemporaryFolder? _temporary;

    /// <summary>Opens a storage's directory.</summary>
    /// <exception cref="ConfigurationException">The path is no directory.</exception>
    /// <exception cref="StorageException">The directory is missing and not to be created, or could not be created or
    /// opened.</exception>
    public FileStorage(FileStorageOptions options)
    {
        Invariant.Holds(options.SimultaneousReads >= 1 && options.SimultaneousWrites >= 1);
        var path = Path.GetFullPath(options.Path);
        _errors = new FileStorageErrors(path);
        try
        {
            CheckDirectory(path, options.Create);
            _root = new RootDirectory(path, options.MayOpenInOneCall);
            _writer = new ObjectFileWriter(new PosixObjectFiles(_root), () => TemporaryPath);
        }
        catch (PosixException failure)
        {
            throw _errors.Translate("open", failure);
        }

        Traits = new StorageTraits(
            path,
            options.SimultaneousReads,
            options.SimultaneousWrites,
            BatchBytes,
            BatchObjects,
            ReadsCompleteInline: true);
    }

    /// <inheritdoc/>
    public StorageTraits Traits { get; }

    private string TemporaryPath
    {
        get
        {
            lock (_temporaryLock)
            {
                return (_temporary ??= TemporaryFolder.Create(_root)).Path;
            }
        }
    }

    /// <inheritdoc/>
    public Task<bool> TryCreateAsync(
        ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return Task.FromResult(_writer.TryCreate(name, content));
        }
        catch (PosixException failure)
        {
            throw _errors.Translate("create", name, failure);
        }
    }

    /// <inheritdoc/>
    public async Task PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await using var batch = StartBatch();
        await batch.AddAsync(name, content, cancellationToken);
        await batch.CommitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public IObjectBatch StartBatch() => new FileObjectBatch(_writer, _errors);

    /// <inheritdoc/>
    public ValueTask<ObjectInfo?> FindAsync(ObjectName name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return ValueTask.FromResult<ObjectInfo?>(
                _root.Find(name.Value) is { Kind: FileKind.Regular } status
                    ? new ObjectInfo(name, status.Size, status.Modified)
                    : null);
        }
        catch (PosixException failure)
        {
            throw _errors.Translate("look up", name, failure);
        }
    }

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(
        ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        Invariant.Holds(offset >= 0);
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            // A pipe that somebody put here must not make a reader wait; a file does not heed the flag.
            using var file = _root.Open(name.Value, OpenFlags.Read | OpenFlags.NoWait);
            return ValueTask.FromResult(PosixFile.Read(file, _root.PathOf(name.Value), offset, destination.Span));
        }
        catch (PosixException failure) when (failure.Errno is Errno.NotFound or Errno.NotDirectory or Errno.IsDirectory)
        {
            throw new NotFoundException($"Storage {_root.Path} holds no object {name}", failure);
        }
        catch (PosixException failure)
        {
            throw _errors.Translate("read", name, failure);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Invariant.Holds(prefix.Length == 0 || (prefix[^1] == '/' && ObjectName.IsValid(prefix[..^1])));
        using var entries = FileListing.List(_root, prefix, cancellationToken).GetEnumerator();
        while (MoveNext(entries, prefix))
        {
            if (entries.Current is { Status: { Kind: FileKind.Regular } status, Name: var name })
            {
                yield return new ObjectInfo(name, status.Size, status.Modified);
            }
        }

        await ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<Stranger> ListStrangersAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Invariant.Holds(prefix.Length == 0 || (prefix[^1] == '/' && ObjectName.IsValid(prefix[..^1])));
        using var entries = FileListing.List(_root, prefix, cancellationToken).GetEnumerator();
        while (MoveNext(entries, prefix))
        {
            if (entries.Current is { Status.Kind: not FileKind.Regular and var kind, Name: var name })
            {
                yield return new Stranger(name, kind == FileKind.Directory);
            }
        }

        await ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public Task DeleteAsync(IReadOnlyList<ObjectName> names, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            _writer.Delete(names);
            return Task.CompletedTask;
        }
        catch (PosixException failure)
        {
            throw _errors.Translate($"delete {names.Count} objects in", failure);
        }
    }

    /// <inheritdoc/>
    public Task<bool> TryDeleteAsync(
        ObjectName name, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return Task.FromResult(_writer.TryDelete(name, expected));
        }
        catch (PosixException failure)
        {
            throw _errors.Translate("delete", name, failure);
        }
    }

    /// <summary>Removes this run's temporary directory.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_temporaryLock)
        {
            _temporary?.Dispose();
            _temporary = null;
        }

        _root.Dispose();
        return ValueTask.CompletedTask;
    }

    private static void CheckDirectory(string path, bool mayCreate)
    {
        var kind = FileStatus.Find(path, followLink: true)?.Kind;
        if (kind is null && mayCreate)
        {
            PosixDirectory.CreateDurably(path);
        }
        else if (kind is null)
        {
            throw new StorageException(
                $"The storage's directory {path} does not exist; is it mounted?", isTransient: false);
        }
        else if (kind != FileKind.Directory)
        {
            throw new ConfigurationException($"The storage's path {path} is not a directory");
        }
    }

    private bool MoveNext(IEnumerator<ListedFile> entries, string prefix)
    {
        try
        {
            return entries.MoveNext();
        }
        catch (PosixException failure)
        {
            throw _errors.Translate($"list {prefix} in", failure);
        }
    }
}
