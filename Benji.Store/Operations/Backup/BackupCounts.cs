using Benji.Store.Blocks;
using Benji.Store.Model;
using Benji.Store.Operations.Backup.Planning;

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
    public void Add(PlannedBlock block, BlockOutcome outcome)
    {
        lock (_counts)
        {
            Planned++;
            AllocatedBytes += outcome.Allocated;
            StoredBytes += outcome.StoredBytes;
            switch (outcome.Kind)
            {
                case BlockOutcomeKind.Hole:
                    Holes++;
                    HoleBytes += block.Length;
                    break;
                case BlockOutcomeKind.Unchanged:
                    Unchanged++;
                    UnchangedBytes += block.Length;
                    break;
                case BlockOutcomeKind.Deduplicated:
                    Deduplicated++;
                    DeduplicatedBytes += block.Length;
                    break;
                default:
                    Stored++;
                    Deltas += outcome.Kind == BlockOutcomeKind.StoredDelta ? 1 : 0;
                    WrittenBytes += block.Length;
                    break;
            }
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
}
