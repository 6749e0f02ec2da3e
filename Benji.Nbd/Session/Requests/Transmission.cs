using System.Diagnostics.CodeAnalysis;
using Benji.Nbd.Protocol;
using Benji.Nbd.Session.Exports;
using Benji.Nbd.Session.Haggling;

namespace Benji.Nbd.Session.Requests;

/// <summary>The transmission with one client, held by one thread: reads requests, answers from memory at once, has the
/// store do the rest, and sends what is ready before it waits.</summary>
/// <remarks>Replies leave in the order in which they are ready. A client that does not take its replies is not read from.
/// proto.md, "Transmission".</remarks>
[SuppressMessage("Design", "CA1001", Justification = "Its run, which comes to an end however it goes, disposes the limits.")]
internal sealed class Transmission : IWireWork
{
    private const int InlineMax = 1024 * 1024;

    private static readonly Failure Ending = new(NbdError.Shutdown, "The server is ending.");

    private readonly Export _export;
    private readonly RequestCheck _check;
    private readonly IWire _wire;
    private readonly RequestInput _input;
    private readonly Replies _replies;
    private readonly Slots _slots;
    private readonly ProgressLimit _sending;
    private readonly ProgressLimit _taking;
    private volatile bool _isStopping;

    /// <summary>Prepares a transmission.</summary>
    /// <param name="negotiated">What was agreed on.</param>
    /// <param name="wire">The connection.</param>
    /// <param name="options">Limits.</param>
    /// <param name="budget">Shared by all connections.</param>
    /// <param name="report">Counts, and logs failures.</param>
    public Transmission(
        Negotiated negotiated, IWire wire, NbdServerOptions options, MemoryBudget budget, RequestReport report)
    {
        (_export, _wire) = (negotiated.Export, wire);
        _check = new RequestCheck(
            _export.Size, negotiated.Flags, negotiated.IsStructured, HasContexts: _export.Maps.Count > 0);
        _input = new RequestInput(wire, this);
        _slots = new Slots(options.RequestsMax, _export, wire, budget, options.Clock);
        _sending = new ProgressLimit(budget, wire, options.Clock);
        _taking = new ProgressLimit(budget, wire, options.Clock);
        _replies = new Replies(_export, wire, _slots, _taking, negotiated.IsStructured, report);
    }

    /// <summary>Serves until the client disconnects or the end is asked for; then no request is under way any more.</summary>
    /// <returns>True when the client said goodbye.</returns>
    /// <exception cref="NbdProtocolException">The client sent what is not allowed.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public bool Run()
    {
        var isSending = false;
        try
        {
            var isClean = Serve();
            isSending = true;
            return isClean;
        }
        catch (Exception cause) when (cause is IOException or NbdProtocolException)
        {
            _sending.ThrowIfExceeded();
            _taking.ThrowIfExceeded();
            throw;
        }
        finally
        {
            Finish(isSending);
        }
    }

    /// <summary>Asks for the end: what is under way is finished, what comes now is refused. Safe from any thread.</summary>
    public void Stop()
    {
        _isStopping = true;
        _wire.Wake();
    }

    /// <inheritdoc/>
    public bool Work()
    {
        _replies.TakeCompleted(isSending: true);
        _replies.Flush();
        return !_isStopping;
    }

    private bool Serve()
    {
        while (_input.TryTake(out RequestHeader request))
        {
            if (request.Command == Command.Disconnect)
            {
                return true;
            }

            if (!Handle(request))
            {
                return false;
            }
        }

        return false;
    }

    // False when the end was asked for, or came, in the middle of a request.
    private bool Handle(in RequestHeader request)
    {
        var failure = _isStopping ? Ending : _check.Find(request);
        if (!failure.IsNone)
        {
            var isDropped = request.Command != Command.Write || _input.TryDrop(request.Length);
            _replies.Fail(request, failure);
            return isDropped;
        }

        switch (request.Command)
        {
            case not (Command.Flush or Command.BlockStatus) when request.Length == 0:
                _replies.Done(request);
                return true;
            case Command.Read when request.Length <= InlineMax && _replies.TryRead(request):
                return true;
            default:
                return Submit(request);
        }
    }

    private bool Submit(in RequestHeader request)
    {
        var held = HeldBy(request);
        RequestSlot? slot;
        while ((slot = _slots.TryTake(held)) is null)
        {
            if (!Work())
            {
                _replies.Fail(request, Ending);
                return request.Command != Command.Write;
            }

            // What was just sent may have given back what is missing; else a completion or another connection will.
            if ((slot = _slots.TryTake(held)) is not null)
            {
                break;
            }

            _wire.WaitForWake();
        }

        slot.Prepare(request, held);
        var isWhole = false;
        try
        {
            isWhole = request.Command != Command.Write || TryTakePayload(slot);
        }
        finally
        {
            if (!isWhole)
            {
                _slots.Return(slot);
                _slots.Release(held);
            }
        }

        if (isWhole)
        {
            slot.Begin();
        }

        return isWhole;
    }

    private bool TryTakePayload(RequestSlot slot)
    {
        _sending.Start(slot.Held);
        try
        {
            return _input.TryTake(slot.RentPayload());
        }
        finally
        {
            _sending.End();
        }
    }

    private long HeldBy(in RequestHeader request)
    {
        const int extentMin = 4096;
        const int bytesPerExtent = 32;
        return request.Command switch
        {
            Command.Read or Command.Write => request.Length,
            Command.BlockStatus when (request.Flags & CommandFlags.RequestOne) == 0 =>
                Math.Min((request.Length / extentMin) + 1, NbdLimits.ExtentsMax) * (long)bytesPerExtent * _export.Maps.Count,
            _ => 0,
        };
    }

    // Whatever ends the transmission, requests under way still use the export and their slots: they end first.
    private void Finish(bool isSending)
    {
        try
        {
            while (true)
            {
                _replies.TakeCompleted(isSending);
                if (isSending)
                {
                    _replies.Flush();
                }

                if (_slots.Busy == 0)
                {
                    break;
                }

                _wire.WaitForWake();
            }
        }
        catch (IOException) when (isSending)
        {
            Finish(isSending: false);
            throw;
        }

        _replies.Clear();
        _slots.Close();
        _sending.Dispose();
        _taking.Dispose();
    }
}
