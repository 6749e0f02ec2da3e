using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Backup;

/// <summary>Sums the allocated bytes of base blocks that a new version replaces or drops, so that its own count is exact.</summary>
/// <remarks>Blocks whose frame table was not read are looked up in the catalog, in batches. Safe for concurrent calls.</remarks>
internal sealed class AllocationCounter(ICatalog catalog)
{
    private const int BatchMax = 512;

    private readonly Lock _waiting = new();
    private List<(BlockId Id, int Length)> _blocks = [];
    private long _bytes;

    /// <summary>Counts a block whose allocated bytes are known, or leaves it to be looked up.</summary>
    public async ValueTask AddAsync(BlockId id, int length, int? allocated, CancellationToken cancellationToken)
    {
        if (id.IsHole || length == 0)
        {
            return;
        }

        if (allocated is { } known)
        {
            Interlocked.Add(ref _bytes, known);
            return;
        }

        List<(BlockId Id, int Length)> full;
        lock (_waiting)
        {
            _blocks.Add((id, length));
            if (_blocks.Count < BatchMax)
            {
                return;
            }

            full = _blocks;
            _blocks = [];
        }

        await LookUpAsync(full, cancellationToken);
    }

    /// <summary>Looks up what is left and returns the sum. No adding goes on meanwhile.</summary>
    public async Task<long> SumAsync(CancellationToken cancellationToken)
    {
        await LookUpAsync(_blocks, cancellationToken);
        _blocks = [];
        return Interlocked.Read(ref _bytes);
    }

    private async Task LookUpAsync(List<(BlockId Id, int Length)> blocks, CancellationToken cancellationToken)
    {
        if (blocks.Count == 0)
        {
            return;
        }

        var rows = await catalog.ReadAsync(
            transaction => transaction.BlockReferences.Find([.. blocks.Select(block => block.Id)]), cancellationToken);
        for (var i = 0; i < blocks.Count; i++)
        {
            // A base block without a row is a fault that a scrub reports; all of it counts as allocated until then.
            Interlocked.Add(ref _bytes, rows[i]?.Allocated ?? blocks[i].Length);
        }
    }
}
