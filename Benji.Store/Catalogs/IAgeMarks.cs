using Benji.Store.Model;

namespace Benji.Store.Catalogs;

/// <summary>The age marks that this catalog has put into its storages, or was about to: how it tells that one of the two was
/// exchanged for an older copy, or that another catalog works on the same storage.</summary>
/// <remarks>Format: docs/format.md, "Age".</remarks>
internal interface IAgeMarks
{
    /// <summary>Lists the known marks of one storage, by their numbers.</summary>
    IReadOnlyList<KnownMark> List(string storage);

    /// <summary>Adds a mark, or replaces the row of the same token.</summary>
    void Put(KnownMark mark);

    /// <summary>Forgets marks; missing ones are passed over.</summary>
    void Remove(IReadOnlyList<AgeMark> marks);
}

/// <summary>Where a mark stands.</summary>
internal enum AgeMarkState
{
    /// <summary>Recorded, and perhaps put; what it stands for is not decided.</summary>
    Pending = 0,

    /// <summary>The storage must hold it.</summary>
    Required = 1,

    /// <summary>Superseded or given up; its object may still be there.</summary>
    Retired = 2,

    /// <summary>Superseded, and its object deleted; known for a while, so that an older copy of the storage is told from
    /// another catalog's work.</summary>
    Gone = 3,
}

/// <summary>One mark in the catalog.</summary>
/// <param name="Storage">The configured name of its storage.</param>
/// <param name="Mark">The mark.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Since">When it came to that state.</param>
internal sealed record KnownMark(string Storage, AgeMark Mark, AgeMarkState State, DateTimeOffset Since);
