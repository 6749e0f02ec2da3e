using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Testing.Catalogs;

/// <summary>The versions of a <see cref="MemoryCatalog"/>.</summary>
internal sealed class MemoryVersions(MemorySession session) : IVersions
{
    /// <inheritdoc/>
    public void Add(VersionRecord version)
    {
        if (Find(version.Name) is not null)
        {
            throw new AlreadyExistsException($"There is a version {version.Name} already.");
        }

        Invariant.Holds(Find(version.Id) is null);
        Set(version);
    }

    /// <inheritdoc/>
    public void Replace(VersionRecord version)
    {
        if (Find(version.Id) is null)
        {
            throw new NotFoundException($"There is no version {version.Name} any more.");
        }

        Set(version);
    }

    /// <inheritdoc/>
    public bool Remove(Guid id)
    {
        var found = Find(id) is not null;
        session.State = session.State with { Versions = session.State.Versions.Remove(id) };
        return found;
    }

    /// <inheritdoc/>
    public VersionRecord? Find(Guid id) => session.State.Versions.GetValueOrDefault(id);

    /// <inheritdoc/>
    public VersionRecord? Find(VersionName name) =>
        session.State.Versions.Values.FirstOrDefault(version => version.Name == name);

    /// <inheritdoc/>
    public IReadOnlyList<VersionRecord> List(string? volume) =>
    [
        .. session.State.Versions.Values
            .Where(version => volume is null || version.Name.Volume == volume)
            .OrderBy(version => version.Name.Volume, StringComparer.Ordinal)
            .ThenBy(version => version.Date)
            .ThenBy(version => version.Name.Version, StringComparer.Ordinal),
    ];

    /// <inheritdoc/>
    public VersionRecord? FindLatest(string volume, VersionStatus? status) =>
        List(volume).LastOrDefault(version => status is null || version.Status == status);

    private void Set(VersionRecord version) =>
        session.State = session.State with { Versions = session.State.Versions.SetItem(version.Id, version) };
}
