using Benji.Store.Model;

namespace Benji.Store.Catalogs;

/// <summary>The published versions.</summary>
internal interface IVersions
{
    /// <summary>Adds a version; its id and its full name are new.</summary>
    /// <exception cref="AlreadyExistsException">The name is taken.</exception>
    void Add(VersionRecord version);

    /// <summary>Replaces the version of the same id.</summary>
    /// <exception cref="NotFoundException">It is gone.</exception>
    void Replace(VersionRecord version);

    /// <summary>Removes a version; a missing one is no error.</summary>
    /// <returns>True when it was there.</returns>
    bool Remove(Guid id);

    /// <summary>Finds a version by its id, or null.</summary>
    VersionRecord? Find(Guid id);

    /// <summary>Finds a version by its exact full name, or null.</summary>
    VersionRecord? Find(VersionName name);

    /// <summary>Lists versions, ordered by volume, then date.</summary>
    /// <param name="volume">Only this volume's; null for all.</param>
    IReadOnlyList<VersionRecord> List(string? volume);

    /// <summary>Finds the newest version of a volume, or null.</summary>
    /// <param name="volume">The volume's name.</param>
    /// <param name="status">Only versions of this status; null for any.</param>
    VersionRecord? FindLatest(string volume, VersionStatus? status);
}
