using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Transforms;

namespace Benji.Store.Blocks.Writing;

/// <summary>One block between its plaintext and its object: what its frames hash to and which of them are at hand.</summary>
/// <remarks>For one caller at a time.</remarks>
internal sealed class BlockDraft
{
    private readonly StoreKeys _keys;
    private readonly IBlockStore _reads;
    private readonly BlockInput _input;
    private readonly byte[] _hashes;
    private FrameSet _present;
    private FrameTable? _baseTable;

    /// <summary>Takes a block on.</summary>
    public BlockDraft(StoreKeys keys, IBlockStore reads, BlockInput input)
    {
        _keys = keys;
        _reads = reads;
        _input = input;
        _present = input.Changed;
        _hashes = new byte[BlockGeometry.FrameCount(input.Content.Length) * Hash256.Size];
        Invariant.Holds(input.Content.Length is > 0 and <= BlockGeometry.BlockSizeMax);
        Invariant.Holds(input.Changed.FrameCount == FrameCount);
        Invariant.Holds(input.Changed.IsAll || input.BaseId.IsHole || input.BaseLength == Length);
        MayLend = input.MayLend && !input.BaseId.IsHole && input.BaseLength == Length;
    }

    /// <summary>Bytes of the block.</summary>
    public int Length => _input.Content.Length;

    /// <summary>The plaintext; frames that nobody needed are undefined.</summary>
    public ReadOnlyMemory<byte> Content => _input.Content;

    /// <summary>Reads its frames again; null when nobody can.</summary>
    public IFrameFiller? Filler => _input.Filler;

    /// <summary>The base version's block.</summary>
    public BlockId BaseId => _input.BaseId;

    /// <summary>True while the base's block can lend: it is sound, as long as this one, and readable as far as is known.</summary>
    public bool MayLend { get; private set; }

    /// <summary>32 bytes for each frame, in order.</summary>
    public ReadOnlyMemory<byte> Hashes => _hashes;

    /// <summary>Plaintext bytes of the frames that are no holes.</summary>
    public int Allocated
    {
        get
        {
            var bytes = 0;
            for (var frame = 0; frame < FrameCount; frame++)
            {
                bytes += IsHole(frame) ? 0 : BlockGeometry.FrameLength(Length, frame);
            }

            return bytes;
        }
    }

    /// <summary>The same of the base's block: known when its table was read, 0 for a hole, else null.</summary>
    public int? BaseAllocated => BaseId.IsHole ? 0 : _baseTable?.AllocatedBytes;

    private int FrameCount => _hashes.Length / Hash256.Size;

    /// <summary>Hashes the frames at hand and takes the hashes of the others from the base.</summary>
    /// <exception cref="StorageException">The storage or the source failed.</exception>
    public async ValueTask HashAsync(CancellationToken cancellationToken)
    {
        if (!_present.IsAll && !BaseId.IsHole)
        {
            if (await ReadBaseTableAsync(cancellationToken) is { } table)
            {
                table.Hashes.CopyTo(_hashes);
            }
            else
            {
                // Nothing is known of the frames that equal the base's: they are read.
                await FillRunsAsync(Missing(_ => true), mustMatch: false, cancellationToken);
                _present = FrameSet.All(FrameCount);
            }
        }

        for (var from = 0; _present.TryFindRun(from, out var first, out var count); from = first + count)
        {
            _keys.Frames.HashFrames(Slice(first, count).Span, HashesOf(first, count));
        }
    }

    /// <summary>Returns the base's table when it can lend.</summary>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async ValueTask<FrameTable?> FindBaseTableAsync(CancellationToken cancellationToken) =>
        MayLend ? _baseTable ?? await ReadBaseTableAsync(cancellationToken) : null;

    /// <summary>Reads the frames that the object will hold itself and that are not at hand.</summary>
    /// <param name="plan">What is borrowed; null for a whole block.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="InputDataException">A frame does not equal the base's.</exception>
    /// <exception cref="StorageException">The source failed.</exception>
    public ValueTask FillAsync(DeltaPlan? plan, CancellationToken cancellationToken) => FillRunsAsync(
        Missing(frame => !IsHole(frame) && (plan is null || plan.Owners[frame] == SealPlan.Own)),
        mustMatch: true,
        cancellationToken);

    private FrameSet Missing(Func<int, bool> isNeeded)
    {
        var missing = new FrameSet(FrameCount);
        for (var frame = 0; frame < FrameCount; frame++)
        {
            if (!_present.Contains(frame) && isNeeded(frame))
            {
                missing.Add(frame);
            }
        }

        return missing;
    }

    private async ValueTask FillRunsAsync(FrameSet frames, bool mustMatch, CancellationToken cancellationToken)
    {
        for (var from = 0; frames.TryFindRun(from, out var first, out var count); from = first + count)
        {
            Invariant.Holds(_input.Filler is not null);
            await _input.Filler.FillAsync(first, count, Slice(first, count), cancellationToken);
            if (mustMatch)
            {
                CheckMatch(first, count);
            }
        }
    }

    // A frame sealed under the hash of other bytes could never be opened.
    private void CheckMatch(int first, int count)
    {
        for (var frame = first; frame < first + count; frame++)
        {
            if (_keys.Frames.HashFrame(Slice(frame, 1).Span) != new Hash256(HashesOf(frame, 1)))
            {
                throw new InputDataException(
                    $"Bytes {frame * BlockGeometry.FrameSize} and following of a block were said to equal those of the "
                    + $"base version's block {BaseId}, but they differ.");
            }
        }
    }

    private async ValueTask<FrameTable?> ReadBaseTableAsync(CancellationToken cancellationToken)
    {
        try
        {
            _baseTable = await _reads.ReadTableAsync(BaseId, _input.BaseLength, cancellationToken);
            return _baseTable;
        }
        catch (Exception failure) when (failure is CorruptDataException or NotFoundException)
        {
            // A scrub reports it; here it only means that this block cannot lend.
            MayLend = false;
            return null;
        }
    }

    private bool IsHole(int frame) => !HashesOf(frame, 1).ContainsAnyExcept((byte)0);

    private Span<byte> HashesOf(int first, int count) =>
        _hashes.AsSpan(first * Hash256.Size, count * Hash256.Size);

    private Memory<byte> Slice(int first, int count)
    {
        var start = first * BlockGeometry.FrameSize;
        return _input.Content[start..Math.Min(Length, start + (count * BlockGeometry.FrameSize))];
    }
}
