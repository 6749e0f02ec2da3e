using Benji.Nbd.Session.Exports;

namespace Benji.Nbd.Session.Requests;

/// <summary>The requests of one connection that wait for the store: how many may, and which are done.</summary>
/// <remarks>For the connection's thread; only completions come from others.</remarks>
internal sealed class Slots
{
    /// <summary>Bytes that the requests of one connection hold at a time, the only one apart.</summary>
    public const long HeldMax = 32 * 1024 * 1024;

    private readonly Stack<RequestSlot> _free = new();
    private readonly IWire _wire;
    private readonly MemoryBudget _budget;
    private RequestSlot? _completed;

    /// <summary>Makes the slots.</summary>
    /// <param name="count">How many.</param>
    /// <param name="export">What they work on.</param>
    /// <param name="wire">Woken by completions.</param>
    /// <param name="budget">Shared by all connections.</param>
    /// <param name="clock">The clock.</param>
    public Slots(int count, Export export, IWire wire, MemoryBudget budget, TimeProvider clock)
    {
        (_wire, _budget) = (wire, budget);
        for (var i = 0; i < count; i++)
        {
#pragma warning disable CA2000 // Disposed when the slots are closed.
            _free.Push(new RequestSlot(export, budget.Payloads, clock, Complete));
#pragma warning restore CA2000 // The reason ends here.
        }
    }

    /// <summary>Requests begun and not taken back yet.</summary>
    public int Busy { get; private set; }

    /// <summary>Bytes that they hold.</summary>
    public long Held { get; private set; }

    /// <summary>Takes a slot and its bytes when both are free; otherwise a later wake says to try again.</summary>
    public RequestSlot? TryTake(long held)
    {
        if (_free.Count == 0 || (Held > 0 && Held + held > HeldMax) || !_budget.TryTake(held, Held == 0, _wire))
        {
            return null;
        }

        Busy++;
        Held += held;
        return _free.Pop();
    }

    /// <summary>Takes all completed slots, the first completed first; linked by <see cref="RequestSlot.Next"/>.</summary>
    public RequestSlot? TakeCompleted()
    {
        if (Volatile.Read(ref _completed) is null)
        {
            return null;
        }

        var last = Interlocked.Exchange(ref _completed, null);
        RequestSlot? first = null;
        while (last is not null)
        {
            (last.Next, first, last) = (first, last, last.Next);
        }

        return first;
    }

    /// <summary>Gives a slot back; its bytes may still be held by a reply.</summary>
    public void Return(RequestSlot slot)
    {
        slot.Clear();
        Busy--;
        _free.Push(slot);
    }

    /// <summary>Gives bytes back.</summary>
    public void Release(long held)
    {
        Held -= held;
        _budget.Release(held);
    }

    /// <summary>Ends the slots, none of which is busy.</summary>
    public void Close()
    {
        _budget.Forget(_wire);
        while (_free.TryPop(out var slot))
        {
            slot.Dispose();
        }
    }

    private void Complete(RequestSlot slot)
    {
        RequestSlot? last;
        do
        {
            last = Volatile.Read(ref _completed);
            slot.Next = last;
        }
        while (Interlocked.CompareExchange(ref _completed, slot, last) != last);

        _wire.Wake();
    }
}
