using System.Runtime.InteropServices;
using Benji.Nbd.Protocol;
using Benji.Nbd.Session.Exports;
using Benji.Nbd.Session.Haggling;

namespace Benji.Nbd.Session.Requests;

/// <summary>Answers one client: from memory at once, for completed slots when they come, and failures; sends in batches.</summary>
/// <remarks>For the connection's thread.</remarks>
/// <param name="export">What is read.</param>
/// <param name="wire">Where replies go.</param>
/// <param name="slots">Where completed requests come from.</param>
/// <param name="limit">How long the client may take for what holds memory.</param>
/// <param name="isStructured">True when replies come in chunks.</param>
/// <param name="report">Counts, and logs failures.</param>
internal sealed class Replies(
    Export export, IWire wire, Slots slots, ProgressLimit limit, bool isStructured, RequestReport report)
{
    private const int BatchMax = 1024 * 1024;

    private readonly ReplyBatch _batch = new(wire);
    private long _heldByBatch;

    /// <summary>Answers a READ if everything is in memory.</summary>
    public bool TryRead(in RequestHeader request)
    {
        FlushIfFull();
        if (!export.Image.TryRead((long)request.Offset, (int)request.Length, _batch.NextPieces))
        {
            return false;
        }

        _batch.AddRead(request, isStructured);
        report.Done(request);
        return true;
    }

    /// <summary>Answers that a request without bytes was done.</summary>
    public void Done(in RequestHeader request)
    {
        _batch.AddDone(request.Cookie, isStructured && request.Command == Command.Read);
        report.Done(request);
        FlushIfFull();
    }

    /// <summary>Answers that a request failed.</summary>
    /// <param name="request">What was asked.</param>
    /// <param name="failure">Why it failed.</param>
    /// <param name="defect">What is wrong with this program, if that was it.</param>
    public void Fail(in RequestHeader request, in Failure failure, Exception? defect = null)
    {
        report.Failed(request, failure, defect);
        if (request.Command is Command.Write or Command.Trim or Command.WriteZeroes or Command.Flush)
        {
            export.NoteRefused($"{request.Command} at {request.Offset}");
        }

        _batch.AddFailure(request.Cookie, Clip(request, failure), isStructured);
        FlushIfFull();
    }

    /// <summary>Answers all requests that other threads have completed.</summary>
    /// <param name="isSending">False when the client is gone: they are only taken back.</param>
    public void TakeCompleted(bool isSending)
    {
        for (var slot = slots.TakeCompleted(); slot is not null;)
        {
            var next = slot.Next;
            _heldByBatch += slot.Held;
            try
            {
                if (isSending)
                {
                    Answer(slot);
                }
            }
            catch (IOException)
            {
                isSending = false;
                TakeBack(next);
                throw;
            }
            finally
            {
                slots.Return(slot);
            }

            slot = next;
        }
    }

    /// <summary>Sends what is ready.</summary>
    /// <exception cref="IOException">The connection is broken.</exception>
    public void Flush()
    {
        try
        {
            if (_heldByBatch > 0)
            {
                limit.Start(_batch.Bytes);
            }

            if (_batch.Bytes > 0)
            {
                _batch.Flush();
            }
        }
        finally
        {
            Clear();
        }
    }

    /// <summary>Gives back the memory of what was not sent.</summary>
    public void Clear()
    {
        _batch.Clear();
        report.Publish();
        if (_heldByBatch > 0)
        {
            limit.End();
            slots.Release(_heldByBatch);
            _heldByBatch = 0;
        }
    }

    private void FlushIfFull()
    {
        if (_batch.IsFull || _batch.Bytes >= BatchMax)
        {
            Flush();
        }
    }

    private void TakeBack(RequestSlot? slot)
    {
        while (slot is not null)
        {
            var next = slot.Next;
            _heldByBatch += slot.Held;
            slots.Return(slot);
            slot = next;
        }
    }

    private void Answer(RequestSlot slot)
    {
        ref readonly var request = ref slot.Header;
        if (!slot.Failure.IsNone)
        {
            Fail(request, slot.Failure, slot.Defect);
            return;
        }

        report.Done(request);
        switch (request.Command)
        {
            case Command.Read:
                _batch.AddRead(request, isStructured, ref slot.Pieces);
                break;
            case Command.BlockStatus:
                AddStatus(slot);
                break;
            default:
                _batch.AddDone(request.Cookie);
                break;
        }

        FlushIfFull();
    }

    private void AddStatus(RequestSlot slot)
    {
        var extents = CollectionsMarshal.AsSpan(slot.Extents);
        for (var i = 0; i < slot.ExtentCounts.Count; i++)
        {
            var flags = i == slot.ExtentCounts.Count - 1 ? ChunkFlags.Done : ChunkFlags.None;
            _batch.AddStatus(slot.Header.Cookie, ContextOptions.IdOf(i), extents[..slot.ExtentCounts[i]], flags);
            extents = extents[slot.ExtentCounts[i]..];
        }
    }

    // An offset outside the request is of no use to the client: proto.md, "NBD_REPLY_TYPE_ERROR_OFFSET".
    private static Failure Clip(in RequestHeader request, in Failure failure) =>
        failure.Offset is { } offset && (offset < request.Offset || offset - request.Offset >= request.Length)
            ? failure with { Offset = null }
            : failure;
}
