using Benji.Store.Model;

namespace Benji.Store.Operations.Backup.Planning;

/// <summary>One block that a backup looks at: what the base version has there and which frames must be read.</summary>
/// <param name="Index">Its index.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="BaseId">The base version's block at this index; a hole where there is none.</param>
/// <param name="BaseLength">That block's bytes; 0 where there is none.</param>
/// <param name="BaseIsInvalid">True when that block is damaged: it is read anew and never lends.</param>
/// <param name="Read">The frames to read from the source.</param>
/// <param name="Changed">The frames that may differ from the base; those not read are zeros.</param>
internal sealed record PlannedBlock(
    long Index,
    int Length,
    BlockId BaseId,
    int BaseLength,
    bool BaseIsInvalid,
    FrameSet Read,
    FrameSet Changed)
{
    /// <summary>True when the block is known to be zeros without a look at the source.</summary>
    public bool IsKnownHole => Read.IsEmpty && Changed.IsAll;
}
