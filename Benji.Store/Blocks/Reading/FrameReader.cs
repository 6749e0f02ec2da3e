using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Reading;

/// <summary>Reads the frames of blocks from a storage, own frames and borrowed ones.</summary>
/// <remarks>Safe for concurrent calls with a scratch each. Format: docs/format.md, "Sealed object", "Delta block".</remarks>
internal sealed class FrameReader(OpenedStore store, HeaderReader headers)
{
    private const int OwnFrames = -1;

    /// <summary>Reads, opens and verifies frames of a block whose header is known.</summary>
    /// <param name="opened">The block.</param>
    /// <param name="ownBytes">The bytes of its object from the start, when they are read already; they are overwritten.</param>
    /// <param name="firstFrame">The first frame.</param>
    /// <param name="destination">Receives whole frames, the block's short last one apart.</param>
    /// <param name="damages">Receives what is damaged, whose bytes are then zeros; null to throw instead.</param>
    /// <param name="lenders">Which objects of the lenders are read, with fresh headers; null for those that come first, with
    /// headers from the cache.</param>
    /// <param name="scratch">Room for stored bytes.</param>
    /// <param name="cancellationToken">Stops before the next read.</param>
    /// <exception cref="CorruptDataException">A frame is damaged, and <paramref name="damages"/> is null.</exception>
    public async ValueTask ReadAsync(
        OpenedObject opened, Memory<byte>? ownBytes, int firstFrame, Memory<byte> destination, DamageList? damages,
        BlockForm? lenders, ReadScratch scratch, CancellationToken cancellationToken)
    {
        var table = opened.Table;
        var end = EndOf(table, firstFrame, destination.Length);
        var owners = damages is null ? null : new FaultyObject[table.Lenders.Count + 1];
        ClearHoles(table, firstFrame, end, destination.Span);
        for (var lender = OwnFrames; lender < table.Lenders.Count; lender++)
        {
            if (!TryFindRange(table, lender, firstFrame, end, out var first, out var last))
            {
                continue;
            }

            await ReadOwnerAsync(
                new Reading(opened, lender, first, last, firstFrame, destination, damages, owners),
                ownBytes,
                lenders,
                scratch,
                cancellationToken);
        }

        Verify(opened, firstFrame, end, destination.Span, damages, owners, scratch);
    }

    // Reads the frames that one object gives: the block's own, or a lender's.
    private async ValueTask ReadOwnerAsync(
        Reading reading, Memory<byte>? ownBytes, BlockForm? lenders, ReadScratch scratch, CancellationToken cancellationToken)
    {
        var isOwn = reading.Lender == OwnFrames;
        var failing = isOwn ? FaultyObject.Of(reading.Opened) : new FaultyObject(reading.OwnerId, lenders);
        try
        {
            var owner = isOwn ? reading.Opened : await OpenLenderAsync(reading, lenders, scratch, cancellationToken);
            if (owner is null)
            {
                failing = failing with { Form = null };
                throw new CorruptDataException($"The lender {reading.OwnerId} is missing.");
            }

            failing = FaultyObject.Of(owner);
            reading.NoteOwner(failing);
            var bytes = isOwn && ownBytes is { } read
                ? Within(read, owner.Table, reading.First, reading.Last)
                : await ReadStoredAsync(owner, reading.First, reading.Last, scratch, cancellationToken);
            OpenFrames(reading, owner, bytes.Span);
        }
        catch (CorruptDataException exception) when (reading.Damages is not null)
        {
            // One bad sector makes the read of all of them fail: each alone, so that it costs its own frame.
            if (reading.First < reading.Last && exception.InnerException is StorageException { IsUnreadable: true })
            {
                for (var frame = reading.First; frame <= reading.Last; frame++)
                {
                    if (Owns(reading.Table, reading.Lender, frame))
                    {
                        await ReadOwnerAsync(
                            reading with { First = frame, Last = frame }, null, lenders, scratch, cancellationToken);
                    }
                }

                return;
            }

            for (var frame = reading.First; frame <= reading.Last; frame++)
            {
                if (Owns(reading.Table, reading.Lender, frame))
                {
                    reading.SliceOf(frame).Clear();
                    reading.Damages.Add(new FrameDamage(frame, exception.Message, failing));
                }
            }
        }
    }

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

    // Null when the lender is missing, or the object that was asked for.
    private async ValueTask<OpenedObject?> OpenLenderAsync(
        Reading reading, BlockForm? form, ReadScratch scratch, CancellationToken cancellationToken)
    {
        var length = reading.Table.BlockLength;
        if (form is { } asked)
        {
            return await headers.TryOpenAsync(reading.OwnerId, asked, length, scratch, cancellationToken);
        }

        try
        {
            return await headers.OpenAsync(reading.OwnerId, length, scratch, cancellationToken);
        }
        catch (NotFoundException)
        {
            return null;
        }
    }

    private async ValueTask<Memory<byte>> ReadStoredAsync(
        OpenedObject owner, int first, int last, ReadScratch scratch, CancellationToken cancellationToken)
    {
        var start = owner.Table.OffsetOf(first);
        var bytes = scratch.Stored(owner.Table.OffsetOf(last + 1) - start);
        try
        {
            return bytes[..await headers.ReadAsync(owner.Name, start, bytes, cancellationToken)];
        }
        catch (NotFoundException exception)
        {
            throw new CorruptDataException($"Object {owner.Name} is missing.", exception);
        }
    }

    /// <summary>Opens the frames that one object gives; the bytes start at the first of them.</summary>
    private void OpenFrames(Reading reading, OpenedObject owner, Span<byte> bytes)
    {
        var start = owner.Table.OffsetOf(reading.First);
        for (var frame = reading.First; frame <= reading.Last; frame++)
        {
            if (!Owns(reading.Table, reading.Lender, frame))
            {
                continue;
            }

            // What does not own a frame is not damaged: the block that says so is.
            var failing = FaultyObject.Of(reading.Opened);
            var plaintext = reading.SliceOf(frame);
            try
            {
                CheckOwner(reading.Table, owner, frame);
                failing = FaultyObject.Of(owner);
                CheckEnd(owner, frame, bytes.Length, start);
                var stored = bytes.Slice(owner.Table.OffsetOf(frame) - start, owner.Table.StoredLengthOf(frame));
                store.Opener.OpenFrame(owner, frame, stored, plaintext);
            }
            catch (CorruptDataException exception) when (reading.Damages is not null)
            {
                plaintext.Clear();
                reading.Damages.Add(new FrameDamage(frame, exception.Message, failing));
            }
        }
    }

    private static void CheckOwner(FrameTable table, OpenedObject owner, int frame)
    {
        if (!owner.Table.IsOwn(frame) || owner.Table.HashOf(frame) != table.HashOf(frame))
        {
            throw new CorruptDataException($"Object {owner.Name} does not hold frame {frame} that is borrowed from it.");
        }
    }

    private static void CheckEnd(OpenedObject owner, int frame, int length, int start)
    {
        if (owner.Table.OffsetOf(frame + 1) - start > length)
        {
            throw new CorruptDataException($"Object {owner.Name} ends before or in frame {frame}.");
        }
    }

    private void Verify(
        OpenedObject opened, int firstFrame, int end, Span<byte> plaintext, DamageList? damages, FaultyObject[]? owners,
        ReadScratch scratch)
    {
        var table = opened.Table;
        var hashes = scratch.Hashes(end - firstFrame);
        for (var from = firstFrame; from < end; from++)
        {
            from = store.Opener.FindMismatch(table, firstFrame, plaintext, hashes, from);
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
                var owner = table.KindOf(from) == FrameKind.Borrowed ? table.LenderIndexOf(from) : OwnFrames;
                SliceOf(table, from, firstFrame, plaintext).Clear();
                damages.Add(new FrameDamage(from, reason, owners![owner + 1]));
            }
        }
    }

    /// <summary>The frames from first to last that one object gives to a read.</summary>
    private readonly record struct Reading(
        OpenedObject Opened,
        int Lender,
        int First,
        int Last,
        int FirstFrame,
        Memory<byte> Destination,
        DamageList? Damages,
        FaultyObject[]? Owners)
    {
        public FrameTable Table => Opened.Table;

        public BlockId OwnerId => Table.Lenders[Lender];

        public Span<byte> SliceOf(int frame) => FrameReader.SliceOf(Table, frame, FirstFrame, Destination.Span);

        public void NoteOwner(FaultyObject owner)
        {
            if (Owners is not null)
            {
                Owners[Lender + 1] = owner;
            }
        }
    }
}
