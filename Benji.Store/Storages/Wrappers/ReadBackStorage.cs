using System.Security.Cryptography;
using Benji.Store.Model;

namespace Benji.Store.Storages.Wrappers;

/// <summary>Reads every object back from another storage after it was written, and refuses one that differs.</summary>
/// <remarks>Costs one read of everything written. Safe for concurrent calls: of several writers of one name, each is content
/// with what any of them wrote. Owns the other storage.</remarks>
internal sealed class ReadBackStorage(IStorage inner, BlockBufferPool pool) : IStorage
{
    private const int PieceLength = 1024 * 1024;
    private const int ReadingsMax = 8;

    private readonly WritesUnderWay _underWay = new();

    /// <inheritdoc/>
    public StorageTraits Traits => inner.Traits;

    /// <inheritdoc/>
    /// <exception cref="StorageException">It was not read back as it was written; it stands under its name.</exception>
    public async Task<bool> TryCreateAsync(
        ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var written = _underWay.Begin(name, content.Span);
        try
        {
            if (!await inner.TryCreateAsync(name, content, cancellationToken))
            {
                return false;
            }

            await CheckAsync(written, cancellationToken);
            return true;
        }
        finally
        {
            _underWay.End(written);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="StorageException">It was not read back as it was written; it stands under its name.</exception>
    public async Task PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var written = _underWay.Begin(name, content.Span);
        try
        {
            await inner.PutAsync(name, content, cancellationToken);
            await CheckAsync(written, cancellationToken);
        }
        finally
        {
            _underWay.End(written);
        }
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
    public IAsyncEnumerable<Stranger> ListStrangersAsync(string prefix, CancellationToken cancellationToken) =>
        inner.ListStrangersAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public Task DeleteAsync(IReadOnlyList<ObjectName> names, CancellationToken cancellationToken) =>
        inner.DeleteAsync(names, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> TryDeleteAsync(
        ObjectName name, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken) =>
        inner.TryDeleteAsync(name, expected, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => inner.DisposeAsync();

    // Another writer may replace the object while it is read: then it is read again, a few times at most.
    private async Task CheckAsync(WrittenContent written, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var isDecisive = attempt == ReadingsMax || _underWay.IsOnlyWriter(written.Name);
            var found = await ReadContentAsync(written.Name, cancellationToken);
            if (_underWay.IsExpected(found))
            {
                return;
            }

            if (isDecisive)
            {
                throw new StorageException(
                    $"Object {written.Name} was written with {written.Length} bytes and read back with {found.Length}, " +
                    $"which are not the same: {Traits.Description} does not keep what it is given.",
                    isTransient: false);
            }
        }
    }

    private async Task<WrittenContent> ReadContentAsync(ObjectName name, CancellationToken cancellationToken)
    {
        using var buffer = pool.Rent(PieceLength);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long offset = 0;
        int count;
        do
        {
            count = await inner.ReadAsync(name, offset, buffer.Memory, cancellationToken);
            hash.AppendData(buffer.Span[..count]);
            offset += count;
        }
        while (count == buffer.Length);

        return new WrittenContent(name, offset, Convert.ToHexString(hash.GetHashAndReset()));
    }

    private sealed class Batch(ReadBackStorage storage, IObjectBatch inner) : IObjectBatch
    {
        // The last of equal names wins, as in the batch itself.
        private readonly Dictionary<ObjectName, WrittenContent> _written = [];

        public int Count => inner.Count;

        public long Bytes => inner.Bytes;

        public async ValueTask AddAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            await inner.AddAsync(name, content, cancellationToken);
            Note(name, content.Span);
        }

        public async ValueTask AddNewAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            await inner.AddNewAsync(name, content, cancellationToken);
            Note(name, content.Span);
        }

        public async Task<IReadOnlyList<ObjectName>> CommitAsync(CancellationToken cancellationToken)
        {
            var taken = await inner.CommitAsync(cancellationToken);
            foreach (var written in _written.Values.Where(written => !taken.Contains(written.Name)))
            {
                await storage.CheckAsync(written, cancellationToken);
            }

            End();
            return taken;
        }

        public async ValueTask DisposeAsync()
        {
            End();
            await inner.DisposeAsync();
        }

        private void Note(ObjectName name, ReadOnlySpan<byte> content)
        {
            if (_written.Remove(name, out var replaced))
            {
                storage._underWay.End(replaced);
            }

            _written.Add(name, storage._underWay.Begin(name, content));
        }

        private void End()
        {
            foreach (var written in _written.Values)
            {
                storage._underWay.End(written);
            }

            _written.Clear();
        }
    }
}
