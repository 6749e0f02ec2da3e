using System.Security.Cryptography;
using System.Threading.Channels;
using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Reading;

/// <summary>Checks the distinct blocks of one version: that each object is there with its size, or that it opens and verifies.</summary>
internal sealed class BlockScrub(
    StoreContext context,
    OpenedStore store,
    VersionRecord version,
    DamageLedger ledger,
    ScrubRequest request,
    IOperationProgress progress)
{
    private const int BlocksPerLookup = 512;

    private long _blocksChecked;
    private long _bytesChecked;

    /// <summary>Distinct blocks checked.</summary>
    public long BlocksChecked => Interlocked.Read(ref _blocksChecked);

    /// <summary>Their bytes: of plaintext in a deep scrub, of objects otherwise.</summary>
    public long BytesChecked => Interlocked.Read(ref _bytesChecked);

    /// <summary>Checks the blocks that the request's share picks: always the first, the others at random.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        progress.StartStage(request.IsDeep ? "verifying" : "checking", version.AllocatedBytes, ProgressUnit.Bytes);
        using var blocks = new BlockStore(store);
        await WorkerPool.RunAsync<IReadOnlyList<PlacedBlock>>(
            context.Settings.Workers,
            DispatchAsync,
            (reader, token) => WorkAsync(blocks, reader, token),
            cancellationToken);
    }

    /// <summary>Finds which of some blocks this scrub verified; it checked them all.</summary>
    public async Task<IReadOnlyList<BlockId>> FindVerifiedAsync(
        IReadOnlyCollection<BlockId> marked, CancellationToken cancellationToken)
    {
        var sought = marked.Except(ledger.Blocks).ToHashSet();
        var verified = new HashSet<BlockId>();
        if (sought.Count > 0)
        {
            var map = StorePages.OpenMap(context, store, version);
            await foreach (var run in map.ReadDistinctAsync(cancellationToken))
            {
                verified.UnionWith(run.Ids.ToArray().Where(sought.Contains));
            }
        }

        return [.. verified];
    }

    private async Task DispatchAsync(
        ChannelWriter<IReadOnlyList<PlacedBlock>> writer, CancellationToken cancellationToken)
    {
        // Fingerprints of 64 bits: two different blocks of one version meet in one with a chance of 2^-64 a pair.
        var seen = new HashSet<ulong>();
        var batch = new List<PlacedBlock>(BlocksPerLookup);
        var batchMax = request.IsDeep ? 1 : BlocksPerLookup;
        var map = StorePages.OpenMap(context, store, version);
        await foreach (var run in map.ReadDistinctAsync(cancellationToken))
        {
            for (var i = 0; i < run.Ids.Length; i++)
            {
                var id = run.Ids.Span[i];
                if (id.IsHole || !seen.Add(id.Hash.Fingerprint) || (seen.Count > 1 && !IsPicked()))
                {
                    continue;
                }

                batch.Add(new PlacedBlock(run.FirstBlock + i, id));
                if (batch.Count == batchMax)
                {
                    await writer.WriteAsync([.. batch], cancellationToken);
                    batch.Clear();
                }
            }
        }

        if (batch.Count > 0)
        {
            await writer.WriteAsync([.. batch], cancellationToken);
        }
    }

    private bool IsPicked() =>
        request.BlockPercentage == 100 || RandomNumberGenerator.GetInt32(100) < request.BlockPercentage;

    private async Task WorkAsync(
        BlockStore blocks, ChannelReader<IReadOnlyList<PlacedBlock>> batches, CancellationToken cancellationToken)
    {
        using var buffer = context.Pool.Rent(version.BlockSize);
        await foreach (var batch in batches.ReadAllAsync(cancellationToken))
        {
            if (!request.IsDeep)
            {
                await CheckObjectsAsync(batch, cancellationToken);
                continue;
            }

            var (index, id) = batch[0];
            buffer.Resize(version.Geometry.BlockLength(index));
            var reading = await blocks.ReadBlockAsync(id, buffer.Length, buffer.Memory, cancellationToken);
            await NoteAsync(id, buffer.Length, reading, cancellationToken);
            Count(buffer.Length, buffer.Length);
        }
    }

    // An object that failed is told even where another gave what it holds: by its row, others may borrow from it.
    private async Task NoteAsync(BlockId id, int length, BlockReading reading, CancellationToken cancellationToken)
    {
        ledger.Add(id, reading);
        if (reading.Damages.Count > 0 || reading.Faults.Count == 0)
        {
            return;
        }

        var recorded = await context.Catalog.ReadAsync(
            transaction => DamagedObjects.Recorded(transaction.BlockReferences, reading.Faults), cancellationToken);
        if (recorded.Count > 0)
        {
            var failed = reading.Faults.First(fault => recorded.Contains(fault.Block));
            ledger.AddWhole(
                id,
                length,
                $"object {ObjectNames.Block(failed.Block, failed.Form ?? BlockForm.Whole)} is damaged; the block can still "
                + "be read",
                failed);
        }
    }

    private async Task CheckObjectsAsync(IReadOnlyList<PlacedBlock> batch, CancellationToken cancellationToken)
    {
        var rows = await context.Catalog.ReadAsync(
            transaction => transaction.BlockReferences.Find([.. batch.Select(block => block.Id)]), cancellationToken);
        foreach (var (block, row) in batch.Zip(rows))
        {
            var length = version.Geometry.BlockLength(block.Index);
            var fault = row is null
                ? (Reason: "the catalog has no record of it", new FaultyObject(block.Id, null))
                : await FindFaultAsync(row, cancellationToken);
            if (fault is { } found)
            {
                ledger.AddWhole(block.Id, length, found.Reason, found.Failed);
            }

            Count(length, row?.StoredLength ?? 0);
        }
    }

    private async Task<(string Reason, FaultyObject Failed)?> FindFaultAsync(
        BlockRow row, CancellationToken cancellationToken)
    {
        var fault = await FindObjectFaultAsync(row, cancellationToken);
        if (fault is not null || row.Loans.Count == 0)
        {
            return fault;
        }

        var lenders = await context.Catalog.ReadAsync(
            transaction => transaction.BlockReferences.Find([.. row.Lenders]), cancellationToken);
        for (var i = 0; i < lenders.Count && fault is null; i++)
        {
            fault = await FindLenderFaultAsync(row, row.Loans[i], lenders[i], cancellationToken);
        }

        return fault;
    }

    private async Task<(string Reason, FaultyObject Failed)?> FindLenderFaultAsync(
        BlockRow row, Loan loan, BlockRow? lender, CancellationToken cancellationToken)
    {
        if (lender is null)
        {
            return ($"the catalog has no record of its lender {loan.Lender}", new FaultyObject(loan.Lender, null));
        }

        return lender.Length == row.Length && lender.Owns(loan.Frames)
            ? await FindObjectFaultAsync(lender, cancellationToken)
            : ($"its lender {loan.Lender} does not hold what it borrows from it", new FaultyObject(row.Id, row.Form));
    }

    private async Task<(string Reason, FaultyObject Failed)?> FindObjectFaultAsync(
        BlockRow row, CancellationToken cancellationToken)
    {
        var name = ObjectNames.Block(row.Id, row.Form);
        var failed = new FaultyObject(row.Id, row.Form);
        try
        {
            if (await store.Storage.FindAsync(name, cancellationToken) is not { } info)
            {
                return ($"object {name} is missing", failed);
            }

            return info.Size == row.StoredLength
                ? null
                : ($"object {name} has {info.Size} bytes, expected {row.StoredLength}", failed);
        }
        catch (CorruptDataException fault)
        {
            return (fault.Message, failed);
        }
    }

    private void Count(int plaintextBytes, long storedBytes)
    {
        Interlocked.Increment(ref _blocksChecked);
        Interlocked.Add(ref _bytesChecked, storedBytes);
        progress.Advance(plaintextBytes);
    }
}
