using Benji.Store.Model;

namespace Benji.Store.Catalogs;

/// <summary>The one rule that says which blocks may be used, and which may lend what.</summary>
/// <remarks>Pure. Asked when a block is looked up, when a delta is reserved, when it is recorded, by a scrub and by a
/// rebuild. Format: docs/format.md, "Delta block".</remarks>
internal static class BlockSoundness
{
    /// <summary>True when a block is recorded in a storage, not marked as damaged, and not on its way out.</summary>
    public static bool IsThere(BlockRow? row, string storage) =>
        row is { IsInvalid: false, State: ReferenceState.Live or ReferenceState.Candidate } && row.Storage == storage;

    /// <summary>True when a lender's row covers a loan: it is there, as long as the borrower, and its object holds the frames
    /// itself.</summary>
    /// <param name="lender">The lender's row, or null for none.</param>
    /// <param name="loan">What is borrowed from it.</param>
    /// <param name="length">Bytes of the borrower.</param>
    /// <param name="storage">The configured name of the borrower's storage.</param>
    public static bool Covers(BlockRow? lender, Loan loan, int length, string storage) =>
        IsThere(lender, storage) && lender!.Length == length && lender.Owns(loan.Frames);

    /// <summary>True when a block may be used: it is there, and its lenders cover its loans.</summary>
    /// <param name="row">The block's row, or null for none.</param>
    /// <param name="lenders">The rows of its lenders, in the order of its loans.</param>
    /// <param name="storage">The configured name of the storage.</param>
    public static bool IsUsable(BlockRow? row, IReadOnlyList<BlockRow?> lenders, string storage)
    {
        if (!IsThere(row, storage))
        {
            return false;
        }

        Invariant.Holds(lenders.Count == row!.Loans.Count);
        return row.Loans.Zip(lenders).All(pair => Covers(pair.Second, pair.First, row.Length, storage));
    }
}
