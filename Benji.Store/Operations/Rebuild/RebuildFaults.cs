using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Rebuild;

/// <summary>Finds which versions a missing or damaged page or block concerns, and records the missing blocks.</summary>
/// <remarks>Walks every page of every version once; only asked when there is a fault at all. Not safe for concurrent
/// calls.</remarks>
internal sealed class RebuildFaults(
    OpenedStore store, RebuildPages pages, ICatalog target, TimeProvider time, RebuildProblems problems)
{
    private const int SlotsMax = 1 << 24;

    private readonly FingerprintSet _sound = new(SlotsMax, isWide: true);
    private readonly HashSet<PageId> _faulty = [];

    /// <summary>True when a version needs something that is missing or damaged.</summary>
    public Task<bool> ConcernAsync(VersionRecord version, CancellationToken cancellationToken) =>
        ConcernAsync(version, version.Geometry.Levels - 1, 0, version.Root, cancellationToken);

    private async Task<bool> ConcernAsync(
        VersionRecord version, int level, long number, PageId id, CancellationToken cancellationToken)
    {
        if (id.IsHole || _sound.Contains(id.Hash))
        {
            return false;
        }

        if (_faulty.Contains(id))
        {
            return true;
        }

        var content = (await pages.ReadAsync([id], level, cancellationToken))[0];
        var isFaulty = content is null
            || (level == 0
                ? await ConcernBlocksAsync(version, number, content, cancellationToken)
                : await ConcernPagesAsync(version, level, number, content, cancellationToken));
        if (isFaulty)
        {
            _faulty.Add(id);
        }
        else
        {
            // When the set is full a page is walked again for each version that has it, which only costs time.
            _sound.TryAdd(id.Hash, out _);
        }

        return isFaulty;
    }

    private async Task<bool> ConcernPagesAsync(
        VersionRecord version, int level, long number, byte[] content, CancellationToken cancellationToken)
    {
        var isFaulty = false;
        for (var position = 0; position < BlockGeometry.PageEntries; position++)
        {
            var child = (number * BlockGeometry.PageEntries) + position;
            var childId = new PageId(MapPage.ReadEntry(content, position));

            // All children are looked at: each missing block is to be recorded.
            isFaulty |= await ConcernAsync(version, level - 1, child, childId, cancellationToken);
        }

        return isFaulty;
    }

    private Task<bool> ConcernBlocksAsync(
        VersionRecord version, long number, byte[] content, CancellationToken cancellationToken)
    {
        var blocks = new Dictionary<BlockId, long>();
        for (var position = 0; position < BlockGeometry.PageEntries; position++)
        {
            var id = new BlockId(MapPage.ReadEntry(content, position));
            var index = (number * BlockGeometry.PageEntries) + position;
            if (!id.IsHole && index < version.Geometry.BlockCount)
            {
                blocks.TryAdd(id, index);
            }
        }

        return target.WriteAsync(transaction => ConcernBlocks(transaction, version, blocks), cancellationToken);
    }

    private bool ConcernBlocks(
        ICatalogTransaction transaction, VersionRecord version, Dictionary<BlockId, long> blocks)
    {
        var rows = transaction.BlockReferences.Find([.. blocks.Keys]);
        var missing = blocks.Where((_, i) => rows[i] is null).ToList();
        transaction.BlockReferences.Put([.. missing.Select(block => Missing(version, block.Key, block.Value))]);

        // A damaged header does not tell how long the block is; where it stands does.
        transaction.BlockReferences.Put(
        [
            .. rows.OfType<BlockRow>().Where(row => row.Length == 0)
                .Select(row => row with { Length = version.Geometry.BlockLength(blocks[row.Id]) }),
        ]);
        return missing.Count > 0 || rows.Any(row => row is { IsInvalid: true });
    }

    private BlockRow Missing(VersionRecord version, BlockId id, long index)
    {
        problems.Add(
            $"Block {id}, number {index} of version {version.Name}, is missing in storage {store.Name}.");
        return new BlockRow(
            id,
            store.Name,
            BlockForm.Whole,
            version.Geometry.BlockLength(index),
            Allocated: 0,
            StoredLength: 0,
            [],
            Own: null,
            IsInvalid: true,
            ReferenceState.Live,
            time.GetUtcNow());
    }
}
