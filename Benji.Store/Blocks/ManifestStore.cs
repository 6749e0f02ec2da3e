using System.Runtime.CompilerServices;
using Benji.Store.Blocks.Documents;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Storages;

namespace Benji.Store.Blocks;

/// <summary>The manifests of a store: puts, finds, deletes and lists them by the names of their versions.</summary>
/// <remarks>Safe for concurrent calls. Format: docs/format.md, "Manifest".</remarks>
internal sealed class ManifestStore(OpenedStore store)
{
    private const int IdLength = 16;

    // Nobody writes one manifest so often while another run wants it gone.
    private const int DeletionsMax = 10;

    /// <summary>Stores a manifest, replacing one of the same version name; durable when it returns.</summary>
    /// <returns>Bytes of the object.</returns>
    /// <exception cref="UsageException">Its labels make it longer than a manifest may be.</exception>
    /// <exception cref="StorageException">It could not be written; the old manifest, or none, stands.</exception>
    public async Task<int> PutAsync(VersionRecord version, CancellationToken cancellationToken)
    {
        using var bytes = Seal(version);
        await store.Storage.PutAsync(ObjectNames.Manifest(version.Name), bytes.Memory, cancellationToken);
        return bytes.Length;
    }

    /// <summary>Stores the manifest of a version that appears, unless another version's has its name; durable when it returns
    /// true. A damaged manifest of the name is replaced.</summary>
    /// <returns>False when another version's is there, which is unchanged.</returns>
    /// <exception cref="UsageException">Its labels make it longer than a manifest may be.</exception>
    /// <exception cref="StorageException">It could not be written.</exception>
    public async Task<bool> TryAddAsync(VersionRecord version, CancellationToken cancellationToken)
    {
        using var bytes = Seal(version);
        return await store.Storage.TryCreateAsync(ObjectNames.Manifest(version.Name), bytes.Memory, cancellationToken)
            || await TryReplaceAsync(version, cancellationToken);
    }

    /// <summary>Stores the next revision of a version's manifest, unless another version's has its name; durable when it returns
    /// true.</summary>
    /// <returns>False when another version's is there, which is unchanged.</returns>
    /// <exception cref="UsageException">Its labels make it longer than a manifest may be.</exception>
    /// <exception cref="StorageException">It could not be read or written.</exception>
    public async Task<bool> TryReplaceAsync(VersionRecord version, CancellationToken cancellationToken)
    {
        if (await IsOfOtherAsync(version.Name, version.Id, cancellationToken))
        {
            return false;
        }

        await PutAsync(version, cancellationToken);
        return true;
    }

    /// <summary>Deletes the manifest of a version, exactly the one that was looked at; another version's of its name stays. Durable
    /// when it returns.</summary>
    /// <exception cref="StorageException">It could not be read or deleted.</exception>
    public async Task DeleteAsync(VersionName name, Guid id, CancellationToken cancellationToken)
    {
        for (var deletion = 1; deletion <= DeletionsMax; deletion++)
        {
            if (await TryDeleteAsync(name, id, cancellationToken))
            {
                return;
            }
        }

        throw new StorageException(
            $"Manifest {name} in storage {store.Name} was replaced each of {DeletionsMax} times that it was to be deleted.",
            isTransient: false);
    }

    /// <summary>Reads a version's manifest.</summary>
    /// <returns>The version with this storage's configured name, or null when there is no manifest of that name.</returns>
    /// <exception cref="CorruptDataException">The object is damaged or another version's.</exception>
    /// <exception cref="ConfigurationException">It is of a newer format.</exception>
    /// <exception cref="StorageException">It could not be read.</exception>
    public async Task<VersionRecord?> FindAsync(VersionName name, CancellationToken cancellationToken)
    {
        using var bytes = await ReadAsync(name, cancellationToken);
        return bytes is null ? null : Open(name, bytes);
    }

    /// <summary>Lists the versions that have a manifest, in no order; nothing is opened.</summary>
    /// <exception cref="StorageException">The storage could not be listed.</exception>
    public async IAsyncEnumerable<VersionName> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (_, name) in ListObjectsAsync(cancellationToken))
        {
            if (name is not null)
            {
                yield return name;
            }
        }
    }

    /// <summary>Lists the objects among the manifests with the names of their versions, null for one that is not named as a
    /// manifest is; nothing is opened.</summary>
    /// <exception cref="StorageException">The storage could not be listed.</exception>
    public async IAsyncEnumerable<(ObjectName Object, VersionName? Version)> ListObjectsAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var found in store.Storage.ListAsync(ObjectNames.ManifestPrefix, cancellationToken))
        {
            yield return (found.Name, ObjectNames.TryParseManifest(found.Name, out var name) ? name : null);
        }
    }

    /// <summary>Lists what else is in the place of manifests and of the directories that hold them.</summary>
    /// <exception cref="StorageException">The storage could not be listed.</exception>
    public async IAsyncEnumerable<ObjectName> ListStrangersAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var directory = new ObjectName(ObjectNames.ManifestPrefix.TrimEnd('/'));
        if (await store.Storage.FindAsync(directory, cancellationToken) is not null)
        {
            yield return directory;
        }

        await foreach (var found in store.Storage.ListStrangersAsync(ObjectNames.ManifestPrefix, cancellationToken))
        {
            if (!found.IsDirectory || !ObjectNames.IsManifestDirectory(found.Name))
            {
                yield return found.Name;
            }
        }
    }

    // False when it was replaced meanwhile.
    private async Task<bool> TryDeleteAsync(VersionName name, Guid id, CancellationToken cancellationToken)
    {
        var objectName = ObjectNames.Manifest(name);
        BlockBuffer? found;
        try
        {
            found = await ReadAsync(name, cancellationToken);
        }
        catch (CorruptDataException)
        {
            // No bytes to compare: it is nobody's that anybody could read.
            await store.Storage.DeleteAsync([objectName], cancellationToken);
            return true;
        }

        using (found)
        {
            // It may be opened in its own place.
            var expected = found?.Memory.ToArray() ?? [];
            return (found is not null && IsOfOther(name, id, found))
                || await store.Storage.TryDeleteAsync(objectName, expected, cancellationToken);
        }
    }

    private ValueTask<BlockBuffer?> ReadAsync(VersionName name, CancellationToken cancellationToken) => ObjectReader.FindAsync(
        store.Storage,
        ObjectNames.Manifest(name),
        SealedHeader.ObjectLengthMax(SealedHeader.ManifestLengthMax),
        store.Pool,
        cancellationToken);

    private VersionRecord Open(VersionName name, BlockBuffer bytes)
    {
        var expected = new ExpectedObject(ObjectNames.Manifest(name), ObjectKind.Manifest, Name: null, PlaintextLength: null);
        var plaintext = store.Opener.OpenWhole(expected, bytes.Span, out var header);
        var version = ManifestFile.Parse(plaintext, name, store.Name);
        return header.Name == NameOf(version.Id)
            ? version
            : throw HeaderParser.Corrupt(expected, $"the name of another version than {version.Id:N}");
    }

    // A damaged manifest says nothing about whose it is.
    private bool IsOfOther(VersionName name, Guid id, BlockBuffer bytes)
    {
        try
        {
            return Open(name, bytes).Id != id;
        }
        catch (CorruptDataException)
        {
            return false;
        }
    }

    private async Task<bool> IsOfOtherAsync(VersionName name, Guid id, CancellationToken cancellationToken)
    {
        try
        {
            return await FindAsync(name, cancellationToken) is { } there && there.Id != id;
        }
        catch (CorruptDataException)
        {
            return false;
        }
    }

    private static Hash256 NameOf(Guid id)
    {
        Span<byte> name = stackalloc byte[Hash256.Size];
        name.Clear();
        Invariant.Holds(id.TryWriteBytes(name[..IdLength], bigEndian: true, out _));
        return new Hash256(name);
    }

    private BlockBuffer Seal(VersionRecord version)
    {
        var plaintext = ManifestFile.Format(version);
        var hashes = new byte[BlockGeometry.FrameCount(plaintext.Length) * Hash256.Size];
        store.Keys.Frames.HashFrames(plaintext, hashes);
        var plan = new SealPlan { Kind = ObjectKind.Manifest, Name = NameOf(version.Id), Hashes = hashes };
        return store.Sealer.Seal(plan, plaintext, out _);
    }
}
