using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Reading;

/// <summary>Reads frames that failed once more, with fresh headers, from every object that may hold them: the whole one, then
/// the delta with the lenders' whole objects, then with the lenders' deltas.</summary>
/// <remarks>Only asked when something failed, so that it costs nothing when all is well. Safe for concurrent calls with a
/// scratch each. Format: docs/format.md, "Delta block".</remarks>
internal sealed class BlockSalvage(HeaderReader headers, FrameReader frames)
{
    private static readonly (BlockForm Form, BlockForm Lenders)[] Attempts =
    [
        (BlockForm.Whole, BlockForm.Whole), (BlockForm.Delta, BlockForm.Whole), (BlockForm.Delta, BlockForm.Delta),
    ];

    /// <summary>Reads some frames of a block.</summary>
    /// <exception cref="NotFoundException">The storage holds neither form of the block.</exception>
    /// <exception cref="CorruptDataException">A frame is lost.</exception>
    public async ValueTask ReadFramesAsync(
        BlockId id, int blockLength, int firstFrame, Memory<byte> destination, ReadScratch scratch,
        CancellationToken cancellationToken)
    {
        var reason = $"Block {id} is missing: the storage holds no object of it.";
        var missing = new FaultyObject(id, null);
        var damages = new DamageList();
        for (var frame = 0; frame < BlockGeometry.FrameCount(destination.Length); frame++)
        {
            damages.Add(new FrameDamage(firstFrame + frame, reason, missing));
        }

        var left = (await ReadAsync(id, blockLength, firstFrame, destination, damages, scratch, cancellationToken)).Damages;
        if (left.Count > 0)
        {
            throw left[0].Object == missing
                ? new NotFoundException(reason)
                : new CorruptDataException(left[0].Reason);
        }
    }

    /// <summary>Reads the damaged frames of a block.</summary>
    /// <param name="id">The block.</param>
    /// <param name="destination">The whole block; the frames that are sound stay as they are.</param>
    /// <param name="damages">What failed.</param>
    /// <param name="scratch">Room for stored bytes.</param>
    /// <param name="cancellationToken">Stops before the next read.</param>
    /// <returns>What is lost, and which objects failed.</returns>
    public ValueTask<BlockReading> ReadBlockAsync(
        BlockId id, Memory<byte> destination, DamageList damages, ReadScratch scratch, CancellationToken cancellationToken) =>
        ReadAsync(id, destination.Length, 0, destination, damages, scratch, cancellationToken);

    private async ValueTask<BlockReading> ReadAsync(
        BlockId id, int blockLength, int firstFrame, Memory<byte> destination, DamageList damages, ReadScratch scratch,
        CancellationToken cancellationToken)
    {
        var faults = new HashSet<FaultyObject>();
        foreach (var (form, lenders) in Attempts)
        {
            DamageList found;
            try
            {
                var opened = await headers.TryOpenAsync(id, form, blockLength, scratch, cancellationToken);
                if (opened is null)
                {
                    continue;
                }

                found = await ReadAsync(opened, firstFrame, destination, damages, lenders, scratch, cancellationToken);
            }
            catch (CorruptDataException failure)
            {
                found = Replace(damages, new FaultyObject(id, form), failure.Message);
            }

            faults.UnionWith(found.Damages.Select(damage => damage.Object).Where(failed => failed.Form is not null));
            damages = Merge(damages, found);
            if (damages.Count == 0)
            {
                break;
            }
        }

        faults.UnionWith(damages.Damages.Select(damage => damage.Object));
        return new BlockReading(damages.Damages, [.. faults]);
    }

    private async ValueTask<DamageList> ReadAsync(
        OpenedObject opened, int firstFrame, Memory<byte> destination, DamageList damages, BlockForm lenders,
        ReadScratch scratch, CancellationToken cancellationToken)
    {
        var wanted = new FrameSet(opened.Table.FrameCount);
        foreach (var damage in damages.Damages)
        {
            wanted.Add(damage.FrameIndex);
        }

        var found = new DamageList();
        for (var from = 0; wanted.TryFindRun(from, out var first, out var count); from = first + count)
        {
            var start = (first - firstFrame) * BlockGeometry.FrameSize;
            var end = Math.Min(destination.Length, start + (count * BlockGeometry.FrameSize));
            await frames.ReadAsync(
                opened, null, first, destination[start..end], found, lenders, scratch, cancellationToken);
        }

        return found;
    }

    private static DamageList Replace(DamageList damages, FaultyObject failing, string reason)
    {
        var replaced = new DamageList();
        foreach (var damage in damages.Damages)
        {
            replaced.Add(new FrameDamage(damage.FrameIndex, reason, failing));
        }

        return replaced;
    }

    // Of two reasons for one frame that which names a damaged object tells more than that which misses one.
    private static DamageList Merge(DamageList before, DamageList after)
    {
        var merged = new DamageList();
        foreach (var damage in after.Damages)
        {
            merged.Add(before.Find(damage.FrameIndex) is { Object.Form: not null } known ? known : damage);
        }

        return merged;
    }
}
