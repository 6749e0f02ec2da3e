using Benji.Store.Model;

namespace Benji.Store.Catalogs;

/// <summary>The stored blocks: where each is, in which form, whom it borrows from, whether it is sound.</summary>
internal interface IBlockReferences
{
    /// <summary>Reads rows by id.</summary>
    /// <returns>In the order asked for; null for one that is not there.</returns>
    IReadOnlyList<BlockRow?> Find(IReadOnlyList<BlockId> ids);

    /// <summary>Adds rows, or replaces those that are there.</summary>
    void Put(IReadOnlyList<BlockRow> blocks);

    /// <summary>Sets the state of blocks; missing ones are passed over.</summary>
    void SetState(IReadOnlyList<BlockId> ids, ReferenceState state, DateTimeOffset since);

    /// <summary>Marks blocks as damaged, counting it in <see cref="BlockRow.Marks"/>, or as sound; missing ones are passed
    /// over.</summary>
    void SetInvalid(IReadOnlyList<BlockId> ids, bool isInvalid);

    /// <summary>Removes rows; missing ones are passed over.</summary>
    void Remove(IReadOnlyList<BlockId> ids);

    /// <summary>Lists rows in the order of their ids.</summary>
    /// <param name="after">Only ids behind this one; null from the start.</param>
    /// <param name="count">At most so many.</param>
    IReadOnlyList<BlockRow> Scan(BlockId? after, int count);

    /// <summary>Lists the blocks that are marked as damaged.</summary>
    IReadOnlyList<BlockId> ListInvalid();
}

/// <summary>One stored block in the catalog.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Storage">The configured name of the storage that holds its object.</param>
/// <param name="Form">Which object holds it.</param>
/// <param name="Length">Plaintext bytes.</param>
/// <param name="Allocated">Plaintext bytes of its frames that are no holes.</param>
/// <param name="StoredLength">Bytes of the object.</param>
/// <param name="Loans">The frames it borrows: at most four lenders, none for a whole block.</param>
/// <param name="Own">The frames that its object holds itself; null for a whole block, which holds all that are no holes, and
/// for a block of whose object nothing is known.</param>
/// <param name="IsInvalid">True when a scrub or restore found it damaged or missing.</param>
/// <param name="State">Where it stands between use and deletion.</param>
/// <param name="Since">When it came to that state.</param>
internal sealed record BlockRow(
    BlockId Id,
    string Storage,
    BlockForm Form,
    int Length,
    int Allocated,
    long StoredLength,
    IReadOnlyList<Loan> Loans,
    FrameSet? Own,
    bool IsInvalid,
    ReferenceState State,
    DateTimeOffset Since)
{
    /// <summary>One more than the greatest number of marks: they are counted modulo this.</summary>
    public const int MarksEnd = 128;

    /// <summary>How often it was marked as damaged, also while it was marked already: who stores it again sees whether it was
    /// marked meanwhile. Whoever replaces the row keeps the number.</summary>
    public int Marks { get; init; }

    /// <summary>The blocks it borrows from, each once.</summary>
    public IEnumerable<BlockId> Lenders => Loans.Select(loan => loan.Lender);

    /// <summary>True when its object holds these frames itself, as far as they are no holes.</summary>
    public bool Owns(FrameSet frames) => Own is null ? Form == BlockForm.Whole : Own.ContainsAll(frames);

    /// <summary>The row after one more mark.</summary>
    public BlockRow Marked() => this with { IsInvalid = true, Marks = (Marks + 1) % MarksEnd };
}

/// <summary>What a delta block borrows from one other block.</summary>
/// <param name="Lender">The block whose object holds the frames itself.</param>
/// <param name="Frames">The frames.</param>
internal sealed record Loan(BlockId Lender, FrameSet Frames);
