using System.Runtime.CompilerServices;
using Benji.Store.Model;
using Benji.Store.Storages;

namespace Benji.Store.Blocks.Opening;

/// <summary>A storage that holds a store, and tells what is missing or damaged there from a storage that is away or
/// fails.</summary>
/// <remarks>An object counts as missing only while another one, the witness, is there: else nothing is mounted any more, or the
/// directory is gone. One whose bytes cannot be read counts as damaged only when the bytes of another one can be: else it is the
/// disk. The witness is asked for only where silence could be taken for absence: after an object that was not found; after a
/// deletion, which counts what is missing as deleted; and after an empty listing, unless it was seen less than 5 s ago, as
/// what a listing lacks is looked up by its name before it counts as missing. Safe for concurrent calls. Owns the other
/// storage.</remarks>
/// <param name="inner">The storage that is called.</param>
/// <param name="witness">An object that is there as long as the storage is, and was just read.</param>
/// <param name="time">The clock.</param>
internal sealed class WitnessedStorage(IStorage inner, ObjectName witness, TimeProvider time) : IStorage
{
    // So many others that cannot be read either are no accident.
    private const int NeighboursMax = 8;
    private const int ProbeLength = 4096;

    private static readonly TimeSpan LatelyMax = TimeSpan.FromSeconds(5);

    private long _lastSeen = time.GetTimestamp();

    /// <inheritdoc/>
    public StorageTraits Traits => inner.Traits;

    /// <inheritdoc/>
    public Task<bool> TryCreateAsync(
        ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        inner.TryCreateAsync(name, content, cancellationToken);

    /// <inheritdoc/>
    public Task PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        inner.PutAsync(name, content, cancellationToken);

    /// <inheritdoc/>
    public IObjectBatch StartBatch() => inner.StartBatch();

    /// <inheritdoc/>
    /// <exception cref="CorruptDataException">The object cannot be looked up, and others can be read.</exception>
    public async ValueTask<ObjectInfo?> FindAsync(ObjectName name, CancellationToken cancellationToken)
    {
        try
        {
            var found = await inner.FindAsync(name, cancellationToken);
            if (found is null)
            {
                await RequireWitnessAsync(cancellationToken);
            }

            return found;
        }
        catch (StorageException failure) when (failure.IsUnreadable)
        {
            throw await TellAsync(name, failure, cancellationToken);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="CorruptDataException">The object's bytes cannot be read, and those of others can.</exception>
    public async ValueTask<int> ReadAsync(
        ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            return await inner.ReadAsync(name, offset, destination, cancellationToken);
        }
        catch (NotFoundException)
        {
            await RequireWitnessAsync(cancellationToken);
            throw;
        }
        catch (StorageException failure) when (failure.IsUnreadable)
        {
            throw await TellAsync(name, failure, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var isEmpty = true;
        await foreach (var info in inner.ListAsync(prefix, cancellationToken))
        {
            isEmpty = false;
            yield return info;
        }

        if (isEmpty && time.GetElapsedTime(Volatile.Read(ref _lastSeen)) > LatelyMax)
        {
            await RequireWitnessAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<Stranger> ListStrangersAsync(string prefix, CancellationToken cancellationToken) =>
        inner.ListStrangersAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public async Task DeleteAsync(IReadOnlyList<ObjectName> names, CancellationToken cancellationToken)
    {
        await inner.DeleteAsync(names, cancellationToken);
        await RequireWitnessAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<bool> TryDeleteAsync(
        ObjectName name, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        if (!await inner.TryDeleteAsync(name, expected, cancellationToken))
        {
            return false;
        }

        await RequireWitnessAsync(cancellationToken);
        return true;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async ValueTask<BenjiException> TellAsync(
        ObjectName name, StorageException failure, CancellationToken cancellationToken) =>
        await CanReadOthersAsync(name, cancellationToken) ? new CorruptDataException(failure.Message, failure) : failure;

    private async ValueTask RequireWitnessAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        if (await inner.FindAsync(witness, cancellationToken) is null)
        {
            throw new StorageException(
                $"Storage {Traits.Description} does not hold its {witness} any more; is it still mounted?", isTransient: false);
        }

        Volatile.Write(ref _lastSeen, began);
    }

    // The nearest ones first, by name: other objects each time, so that few of them are in the page cache. Objects of another
    // kind, which may lie elsewhere, count only when there is no other one of this kind.
    private async Task<bool> CanReadOthersAsync(ObjectName name, CancellationToken cancellationToken)
    {
        var tried = new HashSet<ObjectName>();
        for (var prefix = FolderOf(name.Value); prefix.Length > 0 || tried.Count == 0; prefix = FolderOf(prefix))
        {
            await foreach (var other in inner.ListAsync(prefix, cancellationToken))
            {
                if (other.Name == name || !tried.Add(other.Name))
                {
                    continue;
                }

                if (await CanReadAsync(other.Name, cancellationToken))
                {
                    return true;
                }

                if (tried.Count == NeighboursMax)
                {
                    return false;
                }
            }

            if (prefix.Length == 0)
            {
                break;
            }
        }

        return false;
    }

    private async Task<bool> CanReadAsync(ObjectName name, CancellationToken cancellationToken)
    {
        try
        {
            return await inner.ReadAsync(name, 0, new byte[ProbeLength], cancellationToken) > 0;
        }
        catch (Exception failure) when (failure is StorageException or NotFoundException)
        {
            return false;
        }
    }

    // The folder that holds a name, or the one that holds a folder; the empty one holds all.
    private static string FolderOf(string name)
    {
        var slash = name.TrimEnd('/').LastIndexOf('/');
        return name[..(slash + 1)];
    }
}
