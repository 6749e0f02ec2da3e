using System.Runtime.CompilerServices;
using Benji.Store.Storages;

namespace Benji.Testing.Storages;

/// <summary>A storage that does what a script says to chosen calls, and passes the others to another storage.</summary>
/// <remarks>Every call has a number, counted from 0 over all kinds, and is asked for once when it begins; an add, a commit and
/// the start of a listing are calls too. Safe for concurrent calls. Owns the other storage.</remarks>
internal sealed class FaultyStorage(IStorage inner, Func<StorageCall, Fault?> script) : IStorage
{
    private long _calls;

    /// <inheritdoc/>
    public StorageTraits Traits => inner.Traits;

    /// <summary>The calls that have begun.</summary>
    public long Calls => Interlocked.Read(ref _calls);

    /// <inheritdoc/>
    public Task<bool> TryCreateAsync(
        ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => RunAsync(
            StorageCallKind.Create, name.Value, lost: true,
            fault => inner.TryCreateAsync(name, fault.Damage(content), cancellationToken));

    /// <inheritdoc/>
    public Task PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => RunAsync(
        StorageCallKind.Put, name.Value, lost: true, async fault =>
        {
            await inner.PutAsync(name, fault.Damage(content), cancellationToken);
            return true;
        });

    /// <inheritdoc/>
    public IObjectBatch StartBatch() => new Batch(this, inner.StartBatch());

    /// <inheritdoc/>
    public async ValueTask<ObjectInfo?> FindAsync(ObjectName name, CancellationToken cancellationToken) =>
        await RunAsync(
            StorageCallKind.Find, name.Value, lost: (ObjectInfo?)null,
            fault => inner.FindAsync(name, cancellationToken).AsTask());

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(
        ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken) => await RunAsync(
            StorageCallKind.Read, name.Value, lost: 0, async fault =>
            {
                var count = await inner.ReadAsync(name, offset, destination, cancellationToken);
                return fault.DamageInPlace(destination.Span[..count]);
            },
            offset,
            destination.Length);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var objects = await RunAsync(
            StorageCallKind.List, prefix, lost: null,
            fault => Task.FromResult<IAsyncEnumerable<ObjectInfo>?>(inner.ListAsync(prefix, cancellationToken)));
        if (objects is not null)
        {
            await foreach (var info in objects)
            {
                yield return info;
            }
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<Stranger> ListStrangersAsync(string prefix, CancellationToken cancellationToken) =>
        inner.ListStrangersAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public Task DeleteAsync(IReadOnlyList<ObjectName> names, CancellationToken cancellationToken) => RunAsync(
        StorageCallKind.Delete, string.Join(' ', names), lost: true, async fault =>
        {
            await inner.DeleteAsync(names, cancellationToken);
            return true;
        });

    /// <inheritdoc/>
    public Task<bool> TryDeleteAsync(
        ObjectName name, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken) => RunAsync(
        StorageCallKind.Delete, name.Value, lost: true, _ => inner.TryDeleteAsync(name, expected, cancellationToken));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => inner.DisposeAsync();

    // What a lost call pretends to have done is its third argument.
    private async Task<T> RunAsync<T>(StorageCallKind kind, string name, T lost, Func<Fault, Task<T>> call, long offset = 0, long length = 0)
    {
        var number = Interlocked.Increment(ref _calls) - 1;
        var fault = script(new StorageCall(number, kind, name, offset, length)) ?? Fault.None;
        if (fault.Gate is not null)
        {
            await fault.Gate;
        }

        if (fault.Before is not null)
        {
            throw fault.Before;
        }

        var result = fault.Loses ? lost : await call(fault);
        return fault.After is null ? result : throw fault.After;
    }

    private sealed class Batch(FaultyStorage storage, IObjectBatch inner) : IObjectBatch
    {
        public int Count => inner.Count;

        public long Bytes => inner.Bytes;

        public async ValueTask AddAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            await storage.RunAsync(StorageCallKind.Add, name.Value, lost: true, async fault =>
            {
                await inner.AddAsync(name, fault.Damage(content), cancellationToken);
                return true;
            });

        public async ValueTask AddNewAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            await storage.RunAsync(StorageCallKind.Add, name.Value, lost: true, async fault =>
            {
                await inner.AddNewAsync(name, fault.Damage(content), cancellationToken);
                return true;
            });

        public Task<IReadOnlyList<ObjectName>> CommitAsync(CancellationToken cancellationToken) => storage.RunAsync(
            StorageCallKind.Commit, "", lost: [], fault => inner.CommitAsync(cancellationToken));

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
