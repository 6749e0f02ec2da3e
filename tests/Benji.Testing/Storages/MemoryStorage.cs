using System.Runtime.CompilerServices;
using Benji.Store.Model;
using Benji.Store.Storages;

namespace Benji.Testing.Storages;

/// <summary>A storage in memory, as strict as the real ones, whose objects a test can look at and damage.</summary>
/// <remarks>Safe for concurrent calls. Disposing forgets nothing, so that a test can look afterwards.</remarks>
internal sealed class MemoryStorage(TimeProvider? time = null) : IStorage
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _objectsLock = new();
    private readonly SortedDictionary<string, (byte[] Content, DateTimeOffset Modified)> _objects =
        new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public StorageTraits Traits { get; init; } =
        new("memory", ReadsMax: 4, WritesMax: 4, BatchBytes: 1 << 20, BatchObjects: 16, ReadsCompleteInline: true);

    /// <summary>The names of all objects, in order.</summary>
    public IReadOnlyList<ObjectName> Names
    {
        get
        {
            lock (_objectsLock)
            {
                return [.. _objects.Keys.Select(name => new ObjectName(name))];
            }
        }
    }

    /// <summary>An object's bytes, or null when there is none; a copy.</summary>
    public byte[]? this[ObjectName name]
    {
        get
        {
            lock (_objectsLock)
            {
                return _objects.TryGetValue(name.Value, out var found) ? [.. found.Content] : null;
            }
        }
    }

    /// <summary>Everything that it holds, as it is now.</summary>
    public IReadOnlyDictionary<string, (byte[] Content, DateTimeOffset Modified)> Copy()
    {
        lock (_objectsLock)
        {
            return new Dictionary<string, (byte[], DateTimeOffset)>(_objects);
        }
    }

    /// <summary>Holds what a copy holds, and nothing else.</summary>
    public void PutBack(IReadOnlyDictionary<string, (byte[] Content, DateTimeOffset Modified)> copy)
    {
        lock (_objectsLock)
        {
            _objects.Clear();
            foreach (var (name, entry) in copy)
            {
                _objects.Add(name, entry);
            }
        }
    }

    /// <summary>Replaces an object's bytes behind the program's back; its time stays.</summary>
    public void Damage(ObjectName name, Func<byte[], byte[]> change)
    {
        lock (_objectsLock)
        {
            var (content, modified) = _objects[name.Value];
            _objects[name.Value] = (change([.. content]), modified);
        }
    }

    /// <inheritdoc/>
    public Task<bool> TryCreateAsync(
        ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_objectsLock)
        {
            return Task.FromResult(_objects.TryAdd(name.Value, (content.ToArray(), _time.GetUtcNow())));
        }
    }

    /// <inheritdoc/>
    public Task PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Publish([new(name, content.ToArray())]);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public IObjectBatch StartBatch() => new Batch(this);

    /// <inheritdoc/>
    public ValueTask<ObjectInfo?> FindAsync(ObjectName name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_objectsLock)
        {
            return ValueTask.FromResult<ObjectInfo?>(_objects.TryGetValue(name.Value, out var found)
                ? new ObjectInfo(name, found.Content.Length, found.Modified)
                : null);
        }
    }

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(
        ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_objectsLock)
        {
            if (!_objects.TryGetValue(name.Value, out var found))
            {
                throw new NotFoundException($"Storage memory holds no object {name}");
            }

            var start = (int)Math.Min(offset, found.Content.Length);
            var length = Math.Min(destination.Length, found.Content.Length - start);
            found.Content.AsSpan(start, length).CopyTo(destination.Span);
            return ValueTask.FromResult(length);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectInfo[] page;
        lock (_objectsLock)
        {
            page = [.. _objects.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal))
                .Select(pair => new ObjectInfo(new(pair.Key), pair.Value.Content.Length, pair.Value.Modified))];
        }

        foreach (var info in page)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return info;
        }

        await ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<Stranger> ListStrangersAsync(string prefix, CancellationToken cancellationToken) =>
        AsyncEnumerable.Empty<Stranger>();

    /// <inheritdoc/>
    public Task DeleteAsync(IReadOnlyList<ObjectName> names, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_objectsLock)
        {
            foreach (var name in names)
            {
                _objects.Remove(name.Value);
            }
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<bool> TryDeleteAsync(
        ObjectName name, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_objectsLock)
        {
            if (_objects.TryGetValue(name.Value, out var found) && !found.Content.AsSpan().SequenceEqual(expected.Span))
            {
                return Task.FromResult(false);
            }

            _objects.Remove(name.Value);
            return Task.FromResult(true);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Publish(IEnumerable<KeyValuePair<ObjectName, byte[]>> objects)
    {
        lock (_objectsLock)
        {
            foreach (var (name, content) in objects)
            {
                _objects[name.Value] = (content, _time.GetUtcNow());
            }
        }
    }

    private sealed class Batch(MemoryStorage storage) : IObjectBatch
    {
        private readonly Dictionary<ObjectName, byte[]> _added = [];
        private readonly HashSet<ObjectName> _new = [];

        public int Count => _added.Count;

        public long Bytes => _added.Values.Sum(content => (long)content.Length);

        public ValueTask AddAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _added[name] = content.ToArray();
            _new.Remove(name);
            return ValueTask.CompletedTask;
        }

        public ValueTask AddNewAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _added[name] = content.ToArray();
            _new.Add(name);
            return ValueTask.CompletedTask;
        }

        public Task<IReadOnlyList<ObjectName>> CommitAsync(CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            lock (storage._objectsLock)
            {
                ObjectName[] taken = [.. _new.Where(name => storage._objects.ContainsKey(name.Value))];
                storage.Publish(_added.Where(added => !taken.Contains(added.Key)));
                _added.Clear();
                _new.Clear();
                return Task.FromResult<IReadOnlyList<ObjectName>>(taken);
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
