using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Writing;

/// <summary>Which frames of a new block are its own and which it borrows from whom.</summary>
/// <remarks>Immutable. Format: docs/format.md, "Delta block".</remarks>
/// <param name="Owners">For each frame <see cref="SealPlan.Own"/> or the position of its lender.</param>
/// <param name="Lenders">The lenders, each of which lends something.</param>
/// <param name="Own">The frames that its object will hold itself.</param>
internal sealed record DeltaPlan(byte[] Owners, BlockId[] Lenders, FrameSet Own)
{
    /// <summary>What it borrows from each lender.</summary>
    public IReadOnlyList<Loan> Loans => [.. Lenders.Select((lender, i) => new Loan(lender, FramesOf(i)))];

    /// <summary>Chooses; pure.</summary>
    /// <param name="table">The table of the base's block, which is as long.</param>
    /// <param name="baseId">The base's block.</param>
    /// <param name="hashes">32 bytes for each frame of the new block.</param>
    /// <returns>Null when the block is to be whole: more than half of its frames that are no holes would be its own.</returns>
    public static DeltaPlan? Choose(FrameTable table, BlockId baseId, ReadOnlySpan<byte> hashes)
    {
        Invariant.Holds(hashes.Length == table.Hashes.Length);
        BlockId[] candidates = [baseId, .. table.Lenders];
        var owners = new byte[table.FrameCount];
        var lent = new int[candidates.Length];
        var own = new FrameSet(table.FrameCount);
        for (var frame = 0; frame < table.FrameCount; frame++)
        {
            var hash = new Hash256(hashes[(frame * Hash256.Size)..]);
            owners[frame] = SealPlan.Own;
            if (!hash.IsZero && hash == table.HashOf(frame))
            {
                owners[frame] = table.IsOwn(frame) ? (byte)0 : (byte)(1 + table.LenderIndexOf(frame));
                lent[owners[frame]]++;
            }
            else if (!hash.IsZero)
            {
                own.Add(frame);
            }
        }

        var allocatedCount = own.Count + lent.Sum();
        if (lent.Count(frames => frames > 0) > SealedHeader.LendersMax)
        {
            Collapse(owners, lent, own);
        }

        return 2 * own.Count > allocatedCount ? null : Compact(owners, lent, candidates, own);
    }

    /// <summary>Keeps the candidate that lends most, the first of equals; what the others lend becomes own.</summary>
    private static void Collapse(byte[] owners, int[] lent, FrameSet own)
    {
        var kept = Array.IndexOf(lent, lent.Max());
        for (var frame = 0; frame < owners.Length; frame++)
        {
            if (owners[frame] != SealPlan.Own && owners[frame] != kept)
            {
                owners[frame] = SealPlan.Own;
                own.Add(frame);
            }
        }

        for (var candidate = 0; candidate < lent.Length; candidate++)
        {
            lent[candidate] = candidate == kept ? lent[candidate] : 0;
        }
    }

    /// <summary>Numbers the candidates that lend something from 0.</summary>
    private static DeltaPlan Compact(byte[] owners, int[] lent, BlockId[] candidates, FrameSet own)
    {
        var positions = new byte[candidates.Length];
        var lenders = new List<BlockId>(SealedHeader.LendersMax);
        for (var candidate = 0; candidate < candidates.Length; candidate++)
        {
            if (lent[candidate] > 0)
            {
                positions[candidate] = (byte)lenders.Count;
                lenders.Add(candidates[candidate]);
            }
        }

        for (var frame = 0; frame < owners.Length; frame++)
        {
            owners[frame] = owners[frame] == SealPlan.Own ? SealPlan.Own : positions[owners[frame]];
        }

        return new DeltaPlan(owners, [.. lenders], own);
    }

    private FrameSet FramesOf(int lender)
    {
        var frames = new FrameSet(Owners.Length);
        for (var frame = 0; frame < Owners.Length; frame++)
        {
            if (Owners[frame] == lender)
            {
                frames.Add(frame);
            }
        }

        return frames;
    }
}
