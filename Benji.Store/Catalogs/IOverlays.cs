using Benji.Store.Model;

namespace Benji.Store.Catalogs;

/// <summary>The overlays: each pins its base version, without expiry, for as long as its row stands.</summary>
internal interface IOverlays
{
    /// <summary>Adds an overlay; its id and its name on its base are new.</summary>
    /// <exception cref="AlreadyExistsException">The base has an overlay of that name.</exception>
    void Add(OverlayRecord overlay);

    /// <summary>Removes an overlay and its pin; a missing one is no error.</summary>
    /// <returns>True when it was there.</returns>
    bool Remove(Guid id);

    /// <summary>Finds an overlay of a base version by name, or null.</summary>
    OverlayRecord? Find(Guid baseId, string name);

    /// <summary>Lists the overlays of one base version, or all for null, oldest first.</summary>
    IReadOnlyList<OverlayRecord> List(Guid? baseId);
}

/// <summary>One overlay in the catalog.</summary>
/// <param name="Id">Its random id.</param>
/// <param name="Name">Its name, unique on its base.</param>
/// <param name="BaseId">The id of the version it stands on.</param>
/// <param name="BaseName">That version's full name.</param>
/// <param name="Created">When it was made.</param>
internal sealed record OverlayRecord(
    Guid Id, string Name, Guid BaseId, VersionName BaseName, DateTimeOffset Created);
