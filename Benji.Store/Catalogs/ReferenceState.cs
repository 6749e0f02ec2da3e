namespace Benji.Store.Catalogs;

/// <summary>Where a stored object stands between use and deletion.</summary>
/// <remarks>Live → candidate → deleting → gone; the first step back is free, the second never taken. Format:
/// docs/format.md, "Cleanup".</remarks>
internal enum ReferenceState
{
    /// <summary>In use, or put by a run that is still going on.</summary>
    Live = 0,

    /// <summary>No version needed it when a cleanup looked; a backup that does makes it live again.</summary>
    Candidate = 1,

    /// <summary>Being deleted: it may be there or not, so whoever needs it waits until it is gone, then puts it anew.</summary>
    Deleting = 2,

    /// <summary>Found in the storage but never recorded (left by a killed run): a candidate that nobody may reuse unseen.</summary>
    Orphan = 3,
}

/// <summary>The part of a row that cleanup needs.</summary>
/// <param name="Id">The id of the block or page.</param>
/// <param name="Storage">The configured name of the storage that holds its object.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Since">When it came to that state.</param>
internal readonly record struct ReferenceRow<TId>(TId Id, string Storage, ReferenceState State, DateTimeOffset Since);
