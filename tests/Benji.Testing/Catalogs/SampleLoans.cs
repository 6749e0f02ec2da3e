using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Testing.Catalogs;

/// <summary>Loans for rows whose objects nobody opens.</summary>
internal static class SampleLoans
{
    /// <summary>A loan of one frame from each lender: of the first frame from the first, and so on, as far as there are frames.</summary>
    public static IReadOnlyList<Loan> Of(int blockLength, params IEnumerable<BlockId> lenders) =>
        [.. lenders.Select((lender, i) => new Loan(lender, FrameOf(blockLength, i)))];

    private static FrameSet FrameOf(int blockLength, int index)
    {
        var frames = new FrameSet(BlockGeometry.FrameCount(blockLength));
        if (frames.FrameCount > 0)
        {
            frames.Add(index % frames.FrameCount);
        }

        return frames;
    }
}
