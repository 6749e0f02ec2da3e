using System.Runtime.CompilerServices;
using Benji.Store.Model;
using Benji.Store.Posix;

namespace Benji.Store.Storages.Files;

/// <summary>A directory that holds one file for each object, under the object's name.</summary>
/// <remarks>Files are 0600 and directories 0700, whatever the umask. Several processes may use one directory at once, also
/// over a network file system that locks. Nothing is written before the first put. All work is synchronous.</remarks>
internal sealed class FileStorage : IStorage
{
    // One sync serves a batch, so its price per object falls with the batch; beyond these it no longer does.
    private const long BatchBytes = 256L << 20;
    private const int BatchObjects = 512;

    private readonly string _root;
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
        _root = Path.GetFullPath(options.Path);
        _errors = new FileStorageErrors(_root);
        try
        {
            CheckDirectory(options);
            _writer = new ObjectFileWriter(new PosixObjectFiles(_root), _root, () => TemporaryPath);
        }
        catch (PosixException failure)
        {
            throw _errors.Translate("open", failure);
        }

        Traits = new StorageTraits(
            _root,
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
                FileStatus.Find(PathOf(name), followLink: false) is { Kind: FileKind.Regular } status
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
        var path = PathOf(name);
        try
        {
            // A pipe that somebody put here must not make a reader wait; a file does not heed the flag.
            using var file = PosixFile.Open(path, OpenFlags.Read | OpenFlags.NoFollow | OpenFlags.NoWait);
            return ValueTask.FromResult(PosixFile.Read(file, path, offset, destination.Span));
        }
        catch (PosixException failure) when (failure.Errno is Errno.NotFound or Errno.NotDirectory
            or Errno.IsDirectory or Errno.TooManySymbolicLinks)
        {
            throw new NotFoundException($"Storage {_root} holds no object {name}", failure);
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
        using var objects = FileListing.List(_root, prefix, cancellationToken).GetEnumerator();
        while (MoveNext(objects, prefix))
        {
            yield return objects.Current;
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

    /// <summary>Removes this run's temporary directory.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_temporaryLock)
        {
            _temporary?.Dispose();
            _temporary = null;
        }

        return ValueTask.CompletedTask;
    }

    private string PathOf(ObjectName name) => Path.Combine(_root, name.Value);

    private void CheckDirectory(FileStorageOptions options)
    {
        var kind = FileStatus.Find(_root, followLink: true)?.Kind;
        if (kind is null && options.Create)
        {
            PosixDirectory.CreateDurably(_root);
        }
        else if (kind is null)
        {
            throw new StorageException(
                $"The storage's directory {_root} does not exist; is it mounted?", isTransient: false);
        }
        else if (kind != FileKind.Directory)
        {
            throw new ConfigurationException($"The storage's path {_root} is not a directory");
        }
    }

    private bool MoveNext(IEnumerator<ObjectInfo> objects, string prefix)
    {
        try
        {
            return objects.MoveNext();
        }
        catch (IOException failure)
        {
            throw _errors.Translate($"list {prefix} in", failure);
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new StorageException(
                $"Could not list {prefix} in storage {_root}: {failure.Message}", isTransient: false, failure);
        }
    }
}
