using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;

namespace Benji.Store.Blocks;

/// <summary>Reads the headers and frames of blocks from a storage, own frames and borrowed ones.</summary>
/// <remarks>Safe for concurrent calls with a scratch each. Format: docs/format.md, "Sealed object", "Delta block".</remarks>
internal sealed class FrameReader(OpenedStore store, TableCache tables)
{
    private const int OwnFrames = -1;
    private const int ReadGrain = 4096;

    /// <summary>Returns a block's header, from the cache unless it must be fresh.</summary>
    /// <exception cref="NotFoundException">The storage holds neither form of the block.</exception>
    /// <exception cref="CorruptDataException">The header is damaged.</exception>
    public async ValueTask<OpenedObject> OpenAsync(
        BlockId id, int blockLength, bool mustBeFresh, ReadScratch scratch, CancellationToken cancellationToken)
    {
        Invariant.Holds(!id.IsHole && blockLength is > 0 and <= BlockGeometry.BlockSizeMax);
        if (!mustBeFresh && tables.TryFind(id, out var known))
        {
            return known.Table.BlockLength == blockLength ? known : throw new CorruptDataException(
                $"Block {id} has {known.Table.BlockLength} bytes, expected {blockLength}.");
        }

        tables.Remove(id);
        var probe = scratch.Stored((SealedHeader.LengthMax(blockLength) + ReadGrain - 1) / ReadGrain * ReadGrain);
        var (form, length) = await ReadEitherAsync(id, probe, cancellationToken);
        var opened = store.Opener.OpenHeader(Expect(id, form, blockLength), probe.Span[..length]);
        tables.Put(id, opened);
        return opened;
    }

    /// <summary>Reads the start of a block's object: the whole one where both are there.</summary>
    /// <exception cref="NotFoundException">The storage holds neither form of the block.</exception>
    public async ValueTask<(BlockForm Form, int Length)> ReadEitherAsync(
        BlockId id, Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            var whole = ObjectNames.Block(id, BlockForm.Whole);
            return (BlockForm.Whole, await store.Storage.ReadAsync(whole, 0, destination, cancellationToken));
        }
        catch (NotFoundException)
        {
            var delta = ObjectNames.Block(id, BlockForm.Delta);
            return (BlockForm.Delta, await store.Storage.ReadAsync(delta, 0, destination, cancellationToken));
        }
    }

    /// <summary>Reads, opens and verifies frames of a block whose header is known.</summary>
    /// <param name="opened">The block.</param>
    /// <param name="ownBytes">The bytes of its object from the start, when they are read already; they are overwritten.</param>
    /// <param name="firstFrame">The first frame.</param>
    /// <param name="destination">Receives whole frames, the block's short last one apart.</param>
    /// <param name="damages">Receives what is damaged, whose bytes are then zeros; null to throw instead.</param>
    /// <param name="mustBeFresh">True to read the lenders' headers anew.</param>
    /// <param name="scratch">Room for stored bytes.</param>
    /// <param name="cancellationToken">Stops before the next read.</param>
    /// <exception cref="CorruptDataException">A frame is damaged, and <paramref name="damages"/> is null.</exception>
    public async ValueTask ReadAsync(
        OpenedObject opened, Memory<byte>? ownBytes, int firstFrame, Memory<byte> destination, DamageList? damages,
        bool mustBeFresh, ReadScratch scratch, CancellationToken cancellationToken)
    {
        var table = opened.Table;
        var end = EndOf(table, firstFrame, destination.Length);
        ClearHoles(table, firstFrame, end, destination.Span);
        for (var lender = OwnFrames; lender < table.Lenders.Count; lender++)
        {
            if (!TryFindRange(table, lender, firstFrame, end, out var first, out var last))
            {
                continue;
            }

            try
            {
                var owner = lender == OwnFrames ? opened
                    : await OpenLenderAsync(table, lender, mustBeFresh, scratch, cancellationToken);
                var bytes = lender == OwnFrames && ownBytes is { } read
                    ? Within(read, owner.Table, first, last)
                    : await ReadStoredAsync(owner, first, last, scratch, cancellationToken);
                OpenFrames(table, lender, owner, bytes.Span, first, last, firstFrame, destination.Span, damages);
            }
            catch (CorruptDataException exception) when (damages is not null)
            {
                for (var frame = first; frame <= last; frame++)
                {
                    if (Owns(table, lender, frame))
                    {
                        SliceOf(table, frame, firstFrame, destination.Span).Clear();
                        damages.Add(frame, exception.Message);
                    }
                }
            }
        }

        Verify(opened, firstFrame, end, destination.Span, damages, scratch);
    }

    /// <summary>Says what a block's object is expected to be.</summary>
    public static ExpectedObject Expect(BlockId id, BlockForm form, int? blockLength) =>
        new(ObjectNames.Block(id, form), ObjectKind.Block, id.Hash, blockLength, Form: form);

    private static int EndOf(FrameTable table, int firstFrame, int length)
    {
        var end = firstFrame + BlockGeometry.FrameCount(length);
        Invariant.Holds(firstFrame >= 0 && length > 0 && end <= table.FrameCount);
        Invariant.Holds(length == Math.Min(end * BlockGeometry.FrameSize, table.BlockLength)
            - (firstFrame * BlockGeometry.FrameSize));
        return end;
    }

    private static Span<byte> SliceOf(FrameTable table, int frame, int firstFrame, Span<byte> destination) =>
        destination.Slice((frame - firstFrame) * BlockGeometry.FrameSize, table.LengthOf(frame));

    private static void ClearHoles(FrameTable table, int firstFrame, int end, Span<byte> destination)
    {
        for (var frame = firstFrame; frame < end; frame++)
        {
            if (table.KindOf(frame) == FrameKind.Hole)
            {
                SliceOf(table, frame, firstFrame, destination).Clear();
            }
        }
    }

    private static bool Owns(FrameTable table, int lender, int frame) => lender == OwnFrames
        ? table.IsOwn(frame)
        : table.KindOf(frame) == FrameKind.Borrowed && table.LenderIndexOf(frame) == lender;

    private static bool TryFindRange(
        FrameTable table, int lender, int firstFrame, int end, out int first, out int last)
    {
        for (first = firstFrame; first < end && !Owns(table, lender, first); first++)
        {
        }

        for (last = end - 1; last >= first && !Owns(table, lender, last); last--)
        {
        }

        return first < end;
    }

    /// <summary>Returns the stored bytes of the frames from first to last, as far as the object goes.</summary>
    private static Memory<byte> Within(Memory<byte> objectBytes, FrameTable owner, int first, int last)
    {
        var start = Math.Min(owner.OffsetOf(first), objectBytes.Length);
        return objectBytes[start..Math.Min(owner.OffsetOf(last + 1), objectBytes.Length)];
    }

    private async ValueTask<OpenedObject> OpenLenderAsync(
        FrameTable table, int lender, bool mustBeFresh, ReadScratch scratch, CancellationToken cancellationToken)
    {
        var id = table.Lenders[lender];
        try
        {
            return await OpenAsync(id, table.BlockLength, mustBeFresh, scratch, cancellationToken);
        }
        catch (NotFoundException exception)
        {
            throw new CorruptDataException($"The lender {id} is missing.", exception);
        }
    }

    private async ValueTask<Memory<byte>> ReadStoredAsync(
        OpenedObject owner, int first, int last, ReadScratch scratch, CancellationToken cancellationToken)
    {
        var start = owner.Table.OffsetOf(first);
        var bytes = scratch.Stored(owner.Table.OffsetOf(last + 1) - start);
        try
        {
            return bytes[..await store.Storage.ReadAsync(owner.Name, start, bytes, cancellationToken)];
        }
        catch (NotFoundException exception)
        {
            throw new CorruptDataException($"Object {owner.Name} is missing.", exception);
        }
    }

    /// <summary>Opens the frames from first to last that the lender gives; the bytes start at the first of them.</summary>
    private void OpenFrames(
        FrameTable table, int lender, OpenedObject owner, Span<byte> bytes, int first, int last, int firstFrame,
        Span<byte> destination, DamageList? damages)
    {
        var start = owner.Table.OffsetOf(first);
        for (var frame = first; frame <= last; frame++)
        {
            if (!Owns(table, lender, frame))
            {
                continue;
            }

            var plaintext = SliceOf(table, frame, firstFrame, destination);
            try
            {
                CheckOwner(table, owner, frame, bytes.Length, start);
                var stored = bytes.Slice(owner.Table.OffsetOf(frame) - start, owner.Table.StoredLengthOf(frame));
                store.Opener.OpenFrame(owner, frame, stored, plaintext);
            }
            catch (CorruptDataException exception) when (damages is not null)
            {
                plaintext.Clear();
                damages.Add(frame, exception.Message);
            }
        }
    }

    private static void CheckOwner(FrameTable table, OpenedObject owner, int frame, int length, int start)
    {
        if (!owner.Table.IsOwn(frame) || owner.Table.HashOf(frame) != table.HashOf(frame))
        {
            throw new CorruptDataException($"Object {owner.Name} does not hold frame {frame} that is borrowed from it.");
        }

        if (owner.Table.OffsetOf(frame + 1) - start > length)
        {
            throw new CorruptDataException($"Object {owner.Name} ends before or in frame {frame}.");
        }
    }

    private void Verify(
        OpenedObject opened, int firstFrame, int end, Span<byte> plaintext, DamageList? damages, ReadScratch scratch)
    {
        var hashes = scratch.Hashes(end - firstFrame);
        for (var from = firstFrame; from < end; from++)
        {
            from = store.Opener.FindMismatch(opened.Table, firstFrame, plaintext, hashes, from);
            if (from < 0)
            {
                return;
            }

            var reason = $"Frame {from} of object {opened.Name} does not match its hash.";
            if (damages is null)
            {
                throw new CorruptDataException(reason);
            }

            if (!damages.Contains(from))
            {
                SliceOf(opened.Table, from, firstFrame, plaintext).Clear();
                damages.Add(from, reason);
            }
        }
    }
}
