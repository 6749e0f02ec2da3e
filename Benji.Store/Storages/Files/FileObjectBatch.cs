using Benji.Store.Posix;

namespace Benji.Store.Storages.Files;

/// <summary>A group of puts into a file storage: temporary files, then one sync, renames, one more sync.</summary>
internal sealed class FileObjectBatch(ObjectFileWriter writer, FileStorageErrors errors) : IObjectBatch
{
    private readonly Dictionary<ObjectName, IStagedFile> _staged = [];
    private readonly Dictionary<ObjectName, int> _lengths = [];

    /// <inheritdoc/>
    public int Count => _lengths.Count;

    /// <inheritdoc/>
    public long Bytes { get; private set; }

    /// <inheritdoc/>
    public ValueTask AddAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        IStagedFile file;
        try
        {
            file = writer.Stage(content);
        }
        catch (PosixException failure)
        {
            throw errors.Translate("write", name, failure);
        }

        if (_staged.Remove(name, out var earlier))
        {
            writer.Abandon(earlier);
            Bytes -= _lengths[name];
        }

        _staged.Add(name, file);
        _lengths[name] = content.Length;
        Bytes += content.Length;
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public Task CommitAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            writer.Publish(_staged);
        }
        catch (PosixException failure)
        {
            throw errors.Translate($"store {Count} objects in", failure);
        }

        _lengths.Clear();
        Bytes = 0;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        foreach (var file in _staged.Values)
        {
            writer.Abandon(file);
        }

        _staged.Clear();
        return ValueTask.CompletedTask;
    }
}
