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
        var name = ObjectNames.Manifest(version.Name);
        if (await store.Storage.TryCreateAsync(name, bytes.Memory, cancellationToken))
        {
            return true;
        }

        if (await IsOfOtherAsync(version.Name, version.Id, cancellationToken))
        {
            return false;
        }

        await store.Storage.PutAsync(name, bytes.Memory, cancellationToken);
        return true;
    }

    /// <summary>Deletes the manifest of a version unless another version's has its name; durable when it returns.</summary>
    /// <exception cref="StorageException">It could not be read or deleted.</exception>
    public async Task DeleteAsync(VersionName name, Guid id, CancellationToken cancellationToken)
    {
        if (!await IsOfOtherAsync(name, id, cancellationToken))
        {
            await store.Storage.DeleteAsync([ObjectNames.Manifest(name)], cancellationToken);
        }
    }

    /// <summary>Reads a version's manifest.</summary>
    /// <returns>The version with this storage's configured name, or null when there is no manifest of that name.</returns>
    /// <exception cref="CorruptDataException">The object is damaged or another version's.</exception>
    /// <exception cref="ConfigurationException">It is of a newer format.</exception>
    /// <exception cref="StorageException">It could not be read.</exception>
    public async Task<VersionRecord?> FindAsync(VersionName name, CancellationToken cancellationToken)
    {
        var objectName = ObjectNames.Manifest(name);
        using var bytes = await ObjectReader.FindAsync(
            store.Storage,
            objectName,
            SealedHeader.ObjectLengthMax(SealedHeader.ManifestLengthMax),
            store.Pool,
            cancellationToken);
        if (bytes is null)
        {
            return null;
        }

        var expected = new ExpectedObject(objectName, ObjectKind.Manifest, Name: null, PlaintextLength: null);
        var plaintext = store.Opener.OpenWhole(expected, bytes.Span, out var header);
        var version = ManifestFile.Parse(plaintext, name, store.Name);
        return header.Name == NameOf(version.Id)
            ? version
            : throw HeaderParser.Corrupt(expected, $"the name of another version than {version.Id:N}");
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

    // A damaged manifest says nothing about whose it is.
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
