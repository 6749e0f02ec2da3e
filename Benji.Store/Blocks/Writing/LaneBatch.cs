using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Storages;

namespace Benji.Store.Blocks.Writing;

/// <summary>The objects of one lane that are on their way, with what is to be recorded of them.</summary>
/// <remarks>For one caller at a time.</remarks>
internal sealed class LaneBatch(OpenedStore store) : IAsyncDisposable
{
    private readonly IObjectBatch _objects = store.Storage.StartBatch();
    private readonly List<KeptContent> _contents = [];
    private List<StoredBlock> _blocks = [];

    /// <summary>The blocks that are not recorded.</summary>
    public IReadOnlyList<StoredBlock> Blocks => _blocks;

    /// <summary>Bytes of their objects, until they are committed.</summary>
    public long Bytes => _objects.Bytes;

    /// <summary>Bytes of memory in the contents of those that nobody can read again.</summary>
    public long ContentBytes { get; private set; }

    /// <summary>Seals and adds a whole block.</summary>
    /// <param name="outcome">What to answer of it, but for the stored bytes.</param>
    /// <param name="content">The whole plaintext.</param>
    /// <param name="hashes">32 bytes for each frame.</param>
    /// <param name="seen">The row that was seen before; null for none.</param>
    /// <param name="filler">Reads the content again; null when nobody can.</param>
    /// <param name="cancellationToken">Stops the write.</param>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async ValueTask<BlockOutcome> AddWholeAsync(
        BlockOutcome outcome,
        ReadOnlyMemory<byte> content,
        ReadOnlyMemory<byte> hashes,
        BlockRow? seen,
        IFrameFiller? filler,
        CancellationToken cancellationToken)
    {
        using var bytes = Seal(outcome.Id, content.Span, hashes.Span, plan: null);
        await _objects.AddAsync(ObjectNames.Block(outcome.Id, BlockForm.Whole), bytes.Memory, cancellationToken);
        outcome = outcome with { StoredBytes = bytes.Length };
        _blocks.Add(new StoredBlock(RowOf(outcome, content.Length, plan: null), seen, filler, outcome));
        return outcome;
    }

    /// <summary>Seals a delta, to be added when its id is reserved.</summary>
    /// <param name="outcome">What to answer of it, but for the stored bytes.</param>
    /// <param name="draft">The block, its own frames filled.</param>
    /// <param name="plan">What it borrows.</param>
    public KeptDelta SealDelta(BlockOutcome outcome, BlockDraft draft, DeltaPlan plan)
    {
        var bytes = Seal(outcome.Id, draft.Content.Span, draft.Hashes.Span, plan);
        var filler = draft.Filler;
        if (filler is null)
        {
            // Then all of it is at hand.
            var content = new KeptContent(draft.Content.Span, store.Pool);
            ContentBytes += content.HeldBytes;
            _contents.Add(content);
            filler = content;
        }

        outcome = outcome with { StoredBytes = bytes.Length };
        return new KeptDelta(new StoredBlock(RowOf(outcome, draft.Length, plan), null, filler, outcome), bytes);
    }

    /// <summary>Adds a delta whose id is reserved.</summary>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async ValueTask AddDeltaAsync(KeptDelta delta, CancellationToken cancellationToken)
    {
        var name = ObjectNames.Block(delta.Block.Row.Id, BlockForm.Delta);
        await _objects.AddNewAsync(name, delta.Bytes.Memory, cancellationToken);
        _blocks.Add(delta.Block);
    }

    /// <summary>Makes the objects durable and visible.</summary>
    /// <returns>The blocks whose deltas found another object under their names, of which the catalog knows nothing: taken out of
    /// the batch, to be stored whole.</returns>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async Task<IReadOnlyList<StoredBlock>> CommitAsync(CancellationToken cancellationToken)
    {
        var taken = await _objects.CommitAsync(cancellationToken);
        if (taken.Count == 0)
        {
            return [];
        }

        var refused = _blocks.Where(block => taken.Contains(ObjectNames.Block(block.Row.Id, block.Row.Form))).ToList();
        _blocks = [.. _blocks.Except(refused)];
        return refused;
    }

    /// <summary>Returns the blocks and begins anew without them.</summary>
    public IReadOnlyList<StoredBlock> TakeBlocks()
    {
        var taken = _blocks;
        _blocks = [];
        return taken;
    }

    /// <summary>Gives the memory of contents back: none of their blocks is on its way any more.</summary>
    public void ForgetContents()
    {
        _contents.ForEach(content => content.Dispose());
        _contents.Clear();
        ContentBytes = 0;
    }

    /// <summary>Gives up what is not committed.</summary>
    public ValueTask DisposeAsync()
    {
        ForgetContents();
        return _objects.DisposeAsync();
    }

    private BlockRow RowOf(BlockOutcome outcome, int length, DeltaPlan? plan) => new(
        outcome.Id,
        store.Name,
        plan is null ? BlockForm.Whole : BlockForm.Delta,
        length,
        outcome.Allocated,
        outcome.StoredBytes,
        plan?.Loans ?? [],
        plan?.Own,
        IsInvalid: false,
        ReferenceState.Live,
        default);

    private BlockBuffer Seal(BlockId id, ReadOnlySpan<byte> content, ReadOnlySpan<byte> hashes, DeltaPlan? plan) =>
        store.Sealer.Seal(
            new SealPlan
            {
                Kind = ObjectKind.Block,
                Name = id.Hash,
                Hashes = hashes,
                Owners = plan is null ? [] : plan.Owners,
                Lenders = plan?.Lenders,
            },
            content,
            out _);
}
