using Benji.Store.Model;

namespace Benji.Store.Catalogs;

/// <summary>What a cleanup is deleting: for each storage at most one batch of rows in <see cref="ReferenceState.Deleting"/>.</summary>
/// <remarks>Whoever holds the lease on cleanup finishes the claim that a dead one left, whole. Format: docs/format.md,
/// "Cleanup".</remarks>
internal interface IDeletionClaims
{
    /// <summary>Finds the claim on a storage, or null.</summary>
    DeletionClaim? Find(string storage);

    /// <summary>Records a claim, or replaces that of the same storage.</summary>
    void Put(DeletionClaim claim);

    /// <summary>Forgets the claim on a storage; a missing one is no error.</summary>
    void Remove(string storage);
}

/// <summary>One batch that is being deleted.</summary>
/// <param name="Storage">The configured name of the storage.</param>
/// <param name="Mark">The age mark that is put before the first object goes.</param>
/// <param name="Over">The marks that were required when this one was recorded, and that it supersedes.</param>
/// <param name="Blocks">The blocks, both forms of each.</param>
/// <param name="Pages">The map pages.</param>
internal sealed record DeletionClaim(
    string Storage,
    AgeMark Mark,
    IReadOnlyList<AgeMark> Over,
    IReadOnlyList<BlockId> Blocks,
    IReadOnlyList<PageId> Pages)
{
    /// <summary>The blocks of which only the delta object goes, as they stand whole; their rows stay.</summary>
    public IReadOnlyList<BlockId> Deltas { get; init; } = [];
}
