using Benji.Store.Blocks;
using Benji.Store.Model;

namespace Benji.Store.Operations.Backup;

/// <summary>What a backup has done so far, counted by all of its workers.</summary>
internal sealed class BackupCounts
{
    private readonly Lock _counts = new();

    /// <summary>Blocks looked at.</summary>
    public long Planned { get; private set; }

    /// <summary>Blocks of zeros.</summary>
    public long Holes { get; private set; }

    /// <summary>Blocks equal to the base's.</summary>
    public long Unchanged { get; private set; }

    /// <summary>Blocks found in the store.</summary>
    public long Deduplicated { get; private set; }

    /// <summary>Blocks stored, in either form.</summary>
    public long Stored { get; private set; }

    /// <summary>Blocks stored as deltas.</summary>
    public long Deltas { get; private set; }

    /// <summary>Plaintext bytes of the holes.</summary>
    public long HoleBytes { get; private set; }

    /// <summary>Plaintext bytes of the unchanged blocks.</summary>
    public long UnchangedBytes { get; private set; }

    /// <summary>Plaintext bytes of the blocks found in the store.</summary>
    public long DeduplicatedBytes { get; private set; }

    /// <summary>Plaintext bytes of the blocks stored.</summary>
    public long WrittenBytes { get; private set; }

    /// <summary>Bytes of the block objects put.</summary>
    public long StoredBytes { get; private set; }

    /// <summary>Plaintext bytes of all blocks looked at that are no holes, exact to the frame.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>Counts one block.</summary>
    /// <param name="length">Its bytes.</param>
    /// <param name="outcome">What became of it.</param>
    public void Add(int length, BlockOutcome outcome)
    {
        lock (_counts)
        {
            Count(length, outcome, 1);
        }
    }

    /// <summary>Counts a block otherwise than before.</summary>
    public void Revise(int length, BlockOutcome answered, BlockOutcome settled)
    {
        lock (_counts)
        {
            Count(length, answered, -1);
            Count(length, settled, 1);
        }
    }

    /// <summary>Counts the blocks that nobody had to look at.</summary>
    /// <param name="geometry">The new version.</param>
    /// <param name="areUnchanged">True when they are the base version's; false when they are holes.</param>
    /// <param name="plannedBytes">Plaintext bytes of the blocks looked at.</param>
    public void AddSkipped(BlockGeometry geometry, bool areUnchanged, long plannedBytes)
    {
        lock (_counts)
        {
            var blocks = geometry.BlockCount - Planned;
            var bytes = geometry.Size - plannedBytes;
            Unchanged += areUnchanged ? blocks : 0;
            UnchangedBytes += areUnchanged ? bytes : 0;
            Holes += areUnchanged ? 0 : blocks;
            HoleBytes += areUnchanged ? 0 : bytes;
        }
    }

    private void Count(int length, BlockOutcome outcome, int times)
    {
        Planned += times;
        AllocatedBytes += times * (long)outcome.Allocated;
        StoredBytes += times * outcome.StoredBytes;
        var bytes = times * (long)length;
        switch (outcome.Kind)
        {
            case BlockOutcomeKind.Hole:
                Holes += times;
                HoleBytes += bytes;
                break;
            case BlockOutcomeKind.Unchanged:
                Unchanged += times;
                UnchangedBytes += bytes;
                break;
            case BlockOutcomeKind.Deduplicated:
                Deduplicated += times;
                DeduplicatedBytes += bytes;
                break;
            default:
                Stored += times;
                Deltas += outcome.Kind == BlockOutcomeKind.StoredDelta ? times : 0;
                WrittenBytes += bytes;
                break;
        }
    }
}
