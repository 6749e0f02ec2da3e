using Benji.Store.Model;

namespace Benji.Store.Storages;

/// <summary>A place that holds named, immutable objects and knows nothing of what is in them.</summary>
/// <remarks>Safe for concurrent calls. Every implementation passes <c>StorageContract</c>. Every call fails with
/// <see cref="ConfigurationException"/> when a symbolic link stands in its way.</remarks>
internal interface IStorage : IAsyncDisposable
{
    /// <summary>What this place can do and how much of it at once.</summary>
    StorageTraits Traits { get; }

    /// <summary>Creates an object only if its name is free; durable when it returns true.</summary>
    /// <returns>False when an object of that name exists, which is then unchanged.</returns>
    /// <exception cref="StorageException">It could not be written; nothing is visible under the name.</exception>
    Task<bool> TryCreateAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Stores an object, replacing one of the same name as a whole; durable when it returns.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="content">All of its bytes. Lent until the task completes.</param>
    /// <param name="cancellationToken">Stops before the object is named; never leaves half an object.</param>
    /// <exception cref="StorageException">It could not be written; the old object, or none, stands.</exception>
    Task PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Starts a group of puts that become durable and visible together, at one price.</summary>
    /// <returns>A batch that the caller commits and disposes. A batch itself is for one caller at a time.</returns>
    IObjectBatch StartBatch();

    /// <summary>Looks an object up.</summary>
    /// <returns>Its size and time, or null when there is none.</returns>
    ValueTask<ObjectInfo?> FindAsync(ObjectName name, CancellationToken cancellationToken);

    /// <summary>Reads <paramref name="destination"/>.Length bytes from <paramref name="offset"/> of an object.</summary>
    /// <returns>The bytes read: fewer than asked for only at the object's end, 0 behind it.</returns>
    /// <exception cref="NotFoundException">There is no such object.</exception>
    /// <exception cref="StorageException">It could not be read; whether its bytes are what could not be, the exception
    /// says.</exception>
    ValueTask<int> ReadAsync(
        ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>Lists the objects whose names start with <paramref name="prefix"/>, in no order, each once.</summary>
    /// <param name="prefix">Whole parts of a name, ending in a slash, or empty for everything.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <remarks>Objects put or deleted while it runs may be missing or present. Uses memory for one directory or page.</remarks>
    IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Lists what stands below <paramref name="prefix"/> under a name that an object could have and is none:
    /// directories, pipes, sockets, devices. A place that has only objects lists nothing.</summary>
    /// <param name="prefix">As for <see cref="ListAsync"/>.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    IAsyncEnumerable<Stranger> ListStrangersAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Deletes objects; missing ones count as deleted. Durable when it returns.</summary>
    /// <exception cref="StorageException">Some could not be deleted; any part of them may be gone.</exception>
    Task DeleteAsync(IReadOnlyList<ObjectName> names, CancellationToken cancellationToken);

    /// <summary>Deletes an object only while its bytes are these, whoever replaces it meanwhile; a missing one counts as deleted.
    /// Durable when it returns true.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="expected">All of its bytes. Lent until the task completes.</param>
    /// <param name="cancellationToken">Stops before anything is deleted.</param>
    /// <returns>False when it has other bytes: then it stays.</returns>
    /// <exception cref="StorageException">It could not be compared or deleted; it may be gone if its bytes were these.</exception>
    Task<bool> TryDeleteAsync(ObjectName name, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken);
}

/// <summary>Something in a place of objects that is no object.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsDirectory">True for a directory.</param>
internal readonly record struct Stranger(ObjectName Name, bool IsDirectory);
