using System.Security.Cryptography;
using Benji.Store.Model;

namespace Benji.Store.Storages.Wrappers;

/// <summary>Reads every object back from another storage after it was written, and refuses one that differs.</summary>
/// <remarks>Costs one read of everything written. Safe for concurrent calls. Owns the other storage.</remarks>
internal sealed class ReadBackStorage(IStorage inner, BlockBufferPool pool) : IStorage
{
    private const int PieceLength = 1024 * 1024;

    /// <inheritdoc/>
    public StorageTraits Traits => inner.Traits;

    /// <inheritdoc/>
    /// <exception cref="StorageException">It was not read back as it was written; it stands under its name.</exception>
    public async Task<bool> TryCreateAsync(
        ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (!await inner.TryCreateAsync(name, content, cancellationToken))
        {
            return false;
        }

        await CheckAsync(new Written(name, content.Length, SHA256.HashData(content.Span)), cancellationToken);
        return true;
    }

    /// <inheritdoc/>
    /// <exception cref="StorageException">It was not read back as it was written; it stands under its name.</exception>
    public async Task PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await inner.PutAsync(name, content, cancellationToken);
        await CheckAsync(new Written(name, content.Length, SHA256.HashData(content.Span)), cancellationToken);
    }

    /// <inheritdoc/>
    public IObjectBatch StartBatch() => new Batch(this, inner.StartBatch());

    /// <inheritdoc/>
    public ValueTask<ObjectInfo?> FindAsync(ObjectName name, CancellationToken cancellationToken) =>
        inner.FindAsync(name, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(
        ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offset, destination, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) =>
        inner.ListAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public Task DeleteAsync(IReadOnlyList<ObjectName> names, CancellationToken cancellationToken) =>
        inner.DeleteAsync(names, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async Task CheckAsync(Written written, CancellationToken cancellationToken)
    {
        using var buffer = pool.Rent(PieceLength);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long offset = 0;
        int count;
        do
        {
            count = await inner.ReadAsync(written.Name, offset, buffer.Memory, cancellationToken);
            hash.AppendData(buffer.Span[..count]);
            offset += count;
        }
        while (count == buffer.Length);

        if (offset != written.Length || !hash.GetHashAndReset().AsSpan().SequenceEqual(written.Hash))
        {
            throw new StorageException(
                $"Object {written.Name} was written with {written.Length} bytes and read back with {offset}, which are not " +
                $"the same: {Traits.Description} does not keep what it is given.",
                isTransient: false);
        }
    }

    /// <summary>What must be read back.</summary>
    private sealed record Written(ObjectName Name, long Length, byte[] Hash);

    private sealed class Batch(ReadBackStorage storage, IObjectBatch inner) : IObjectBatch
    {
        // The last of equal names wins, as in the batch itself.
        private readonly Dictionary<ObjectName, Written> _written = [];

        public int Count => inner.Count;

        public long Bytes => inner.Bytes;

        public async ValueTask AddAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            await inner.AddAsync(name, content, cancellationToken);
            _written[name] = new Written(name, content.Length, SHA256.HashData(content.Span));
        }

        public async Task CommitAsync(CancellationToken cancellationToken)
        {
            await inner.CommitAsync(cancellationToken);
            foreach (var written in _written.Values)
            {
                await storage.CheckAsync(written, cancellationToken);
            }

            _written.Clear();
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
