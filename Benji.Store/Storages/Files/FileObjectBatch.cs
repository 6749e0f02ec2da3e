using Benji.Store.Posix;

namespace Benji.Store.Storages.Files;

/// <summary>A group of puts into a file storage: temporary files, then one sync, renames, one more sync.</summary>
internal sealed class FileObjectBatch(ObjectFileWriter writer, FileStorageErrors errors) : IObjectBatch
{
    private readonly Dictionary<ObjectName, IStagedFile> _staged = [];
    private readonly Dictionary<ObjectName, int> _lengths = [];
    private readonly HashSet<ObjectName> _new = [];

    /// <inheritdoc/>
    public int Count => _lengths.Count;

    /// <inheritdoc/>
    public long Bytes { get; private set; }

    /// <inheritdoc/>
    public ValueTask AddAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Stage(name, content, cancellationToken);
        _new.Remove(name);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask AddNewAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Stage(name, content, cancellationToken);
        _new.Add(name);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<ObjectName>> CommitAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            var taken = writer.Publish(_staged, _new);
            _lengths.Clear();
            _new.Clear();
            Bytes = 0;
            return Task.FromResult(taken);
        }
        catch (PosixException failure)
        {
            throw errors.Translate($"store {Count} objects in", failure);
        }
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

    private void Stage(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
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
    }
}
