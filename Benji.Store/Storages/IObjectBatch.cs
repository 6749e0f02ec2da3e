using Benji.Store.Model;

namespace Benji.Store.Storages;

/// <summary>A group of puts: written as they come, durable and visible together.</summary>
/// <remarks>For one caller at a time. Disposing an uncommitted batch leaves no object and no temporary file behind.</remarks>
internal interface IObjectBatch : IAsyncDisposable
{
    /// <summary>Objects added and not yet committed.</summary>
    int Count { get; }

    /// <summary>Bytes added and not yet committed.</summary>
    long Bytes { get; }

    /// <summary>Writes one object where nobody sees it yet, or starts to.</summary>
    /// <param name="name">The object's name; the last of equal names in a batch wins.</param>
    /// <param name="content">All of its bytes. Lent until the task completes.</param>
    /// <param name="cancellationToken">Stops the write; the batch is then as before the call.</param>
    /// <exception cref="StorageException">It could not be written; the batch is as before the call, so that the add may be
    /// repeated.</exception>
    ValueTask AddAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>The same for an object that is stored only where its name is free when the batch is committed.</summary>
    /// <exception cref="StorageException">It could not be written; the batch is as before the call.</exception>
    ValueTask AddNewAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Makes every added object durable, then visible under its name, and that durable too; empties the batch
    /// for the next group.</summary>
    /// <returns>The names of those that were not stored because another object has the name, which is unchanged.</returns>
    /// <exception cref="StorageException">Any part of the group may be visible, each object whole or not at all; the batch
    /// can then only be disposed, and is never committed again: a second sync proves nothing about the first.</exception>
    Task<IReadOnlyList<ObjectName>> CommitAsync(CancellationToken cancellationToken);
}
