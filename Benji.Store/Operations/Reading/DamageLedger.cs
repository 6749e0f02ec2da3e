using Benji.Store.Blocks;
using Benji.Store.Model;

namespace Benji.Store.Operations.Reading;

/// <summary>Collects what readers of one version find damaged, and tells it in the order of the version's bytes.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
internal sealed class DamageLedger(BlockGeometry geometry)
{
    private readonly Lock _found = new();
    private readonly Dictionary<BlockId, IReadOnlyList<FrameDamage>> _blocks = [];

    /// <summary>The damaged blocks.</summary>
    public IReadOnlyCollection<BlockId> Blocks => _blocks.Keys;

    /// <summary>Notes a block with its damaged frames.</summary>
    public void Add(BlockId id, IReadOnlyList<FrameDamage> frames)
    {
        Invariant.Holds(frames.Count > 0);
        lock (_found)
        {
            _blocks[id] = frames;
        }
    }

    /// <summary>Notes a block of which nothing can be read.</summary>
    public void AddWhole(BlockId id, int blockLength, string reason) =>
        Add(id, [.. Enumerable.Range(0, BlockGeometry.FrameCount(blockLength)).Select(i => new FrameDamage(i, reason))]);

    /// <summary>Says in one line what is wrong with a damaged block.</summary>
    public string ReasonOf(BlockId id) => _blocks[id][0].Reason;

    /// <summary>Lists the damaged ranges at one index; neighbouring frames with one reason are one range.</summary>
    public IEnumerable<Damage> At(long blockIndex, BlockId id)
    {
        if (!_blocks.TryGetValue(id, out var frames))
        {
            yield break;
        }

        var start = blockIndex * geometry.BlockSize;
        var length = geometry.BlockLength(blockIndex);
        for (var i = 0; i < frames.Count;)
        {
            var first = frames[i];
            var next = i + 1;
            while (next < frames.Count
                && frames[next].FrameIndex == first.FrameIndex + next - i
                && frames[next].Reason == first.Reason)
            {
                next++;
            }

            var offset = (long)first.FrameIndex * BlockGeometry.FrameSize;
            var end = Math.Min(length, offset + ((long)(next - i) * BlockGeometry.FrameSize));
            yield return new Damage(start + offset, end - offset, id, first.Reason);
            i = next;
        }
    }
}
