using Benji.Store.Blocks;
using Benji.Store.Model;

namespace Benji.Store.Operations.Reading;

/// <summary>Collects what readers of one version find damaged, and tells it in the order of the version's bytes.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
internal sealed class DamageLedger(BlockGeometry geometry)
{
    private readonly Lock _found = new();
    private readonly Dictionary<BlockId, IReadOnlyList<FrameDamage>> _blocks = [];
    private readonly HashSet<FaultyObject> _faults = [];

    /// <summary>The damaged blocks.</summary>
    public IReadOnlyCollection<BlockId> Blocks => _blocks.Keys;

    /// <summary>The objects that failed, also those of lenders.</summary>
    public IReadOnlyCollection<FaultyObject> Faults => _faults;

    /// <summary>Notes what was found when a block was read.</summary>
    public void Add(BlockId id, BlockReading reading)
    {
        if (reading.Faults.Count == 0)
        {
            return;
        }

        lock (_found)
        {
            _faults.UnionWith(reading.Faults);
            if (reading.Damages.Count > 0)
            {
                _blocks[id] = reading.Damages;
            }
        }
    }

    /// <summary>Notes a block as damaged in all of its frames.</summary>
    /// <param name="id">The block.</param>
    /// <param name="blockLength">Its bytes.</param>
    /// <param name="reason">What was found, for a person.</param>
    /// <param name="failed">What failed: the block itself, or a lender.</param>
    public void AddWhole(BlockId id, int blockLength, string reason, FaultyObject failed)
    {
        var frames = Enumerable.Range(0, BlockGeometry.FrameCount(blockLength));
        Add(id, new BlockReading([.. frames.Select(frame => new FrameDamage(frame, reason, failed))], [failed]));
    }

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
