using System.Diagnostics.CodeAnalysis;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Testing.Catalogs;

/// <summary>The overlays of a <see cref="MemoryCatalog"/>.</summary>
internal sealed class MemoryOverlays(MemorySession session) : IOverlays
{
    /// <inheritdoc/>
    public void Add(OverlayRecord overlay)
    {
        if (Find(overlay.BaseId, overlay.Name) is not null)
        {
            throw new AlreadyExistsException($"There is an overlay {overlay.BaseName}@{overlay.Name} already.");
        }

        session.State = session.State with { Overlays = session.State.Overlays.Add(overlay.Id, overlay) };
    }

    /// <inheritdoc/>
    public bool Remove(Guid id)
    {
        var found = session.State.Overlays.ContainsKey(id);
        session.State = session.State with { Overlays = session.State.Overlays.Remove(id) };
        return found;
    }

    /// <inheritdoc/>
    public OverlayRecord? Find(Guid baseId, string name) =>
        List(baseId).FirstOrDefault(overlay => overlay.Name == name);

    /// <inheritdoc/>
    public IReadOnlyList<OverlayRecord> List(Guid? baseId) =>
    [
        .. session.State.Overlays.Values
            .Where(overlay => baseId is null || overlay.BaseId == baseId)
            .OrderBy(overlay => overlay.Created)
            .ThenBy(overlay => overlay.Name, StringComparer.Ordinal),
    ];
}

/// <summary>The leases of a <see cref="MemoryCatalog"/>; an owner lives until its catalog is disposed.</summary>
internal sealed class MemoryLeases(MemorySession session) : ILeases
{
    private static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(60);

    /// <inheritdoc/>
    public bool TryAcquire(
        string resource,
        LeaseMode mode,
        string purpose,
        [NotNullWhen(true)] out Lease? lease,
        [NotNullWhen(false)] out Lease? holder)
    {
        lease = null;
        var others = session.State.Leases.Values.Where(other => other.Resource == resource).ToList();
        holder = others.Find(other => session.IsAlive(other)
            && (mode == LeaseMode.Exclusive || other.Mode == LeaseMode.Exclusive));
        if (holder is not null)
        {
            return false;
        }

        var fencing = session.State.Fencing + 1;
        lease = new Lease(
            fencing, resource, mode, session.Owner, purpose, session.Now, session.Now + TimeToLive);
        var dead = others.Where(other => !session.IsAlive(other)).Select(other => other.Fencing);
        session.State = session.State with
        {
            Fencing = fencing,
            Leases = session.State.Leases.RemoveRange(dead).Add(fencing, lease),
        };
        return true;
    }

    /// <inheritdoc/>
    public bool Renew(Lease lease)
    {
        if (!IsHeld(lease))
        {
            return false;
        }

        var renewed = lease with { Expires = session.Now + TimeToLive };
        session.State = session.State with { Leases = session.State.Leases.SetItem(lease.Fencing, renewed) };
        return true;
    }

    /// <inheritdoc/>
    public void Release(Lease lease) =>
        session.State = session.State with { Leases = session.State.Leases.Remove(lease.Fencing) };

    /// <inheritdoc/>
    public bool IsHeld(Lease lease) => session.State.Leases.ContainsKey(lease.Fencing);

    /// <inheritdoc/>
    public IReadOnlyList<Lease> List(string resourcePrefix) =>
    [
        .. session.State.Leases.Values.Where(lease =>
            session.IsAlive(lease) && lease.Resource.StartsWith(resourcePrefix, StringComparison.Ordinal)),
    ];

    /// <inheritdoc/>
    public bool HasReaders() => session.HasReaders;
}

/// <summary>The intents of a <see cref="MemoryCatalog"/>.</summary>
internal sealed class MemoryIntents(MemorySession session) : IIntents
{
    /// <inheritdoc/>
    public void Put(Intent intent) =>
        session.State = session.State with { Intents = session.State.Intents.SetItem(intent.VersionId, intent) };

    /// <inheritdoc/>
    public void Remove(Guid versionId) =>
        session.State = session.State with { Intents = session.State.Intents.Remove(versionId) };

    /// <inheritdoc/>
    public IReadOnlyList<Intent> List() => [.. session.State.Intents.Values];
}

/// <summary>The storages of a <see cref="MemoryCatalog"/>.</summary>
internal sealed class MemoryStorageBindings(MemorySession session) : IStorageBindings
{
    /// <inheritdoc/>
    public StorageBinding? Find(string storage) => session.State.Bindings.GetValueOrDefault(storage);

    /// <inheritdoc/>
    public IReadOnlyList<StorageBinding> List() => [.. session.State.Bindings.Values];

    /// <inheritdoc/>
    public void Put(StorageBinding binding) =>
        session.State = session.State with { Bindings = session.State.Bindings.SetItem(binding.Storage, binding) };
}
