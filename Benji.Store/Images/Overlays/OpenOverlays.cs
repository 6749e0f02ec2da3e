using System.Diagnostics.CodeAnalysis;
using Benji.Store.Model;

namespace Benji.Store.Images.Overlays;

/// <summary>The overlays that this process has open: all openings of one share its core.</summary>
/// <remarks>Safe for concurrent calls. The claim that keeps other processes out is taken with the core and given up
/// after it was closed.</remarks>
internal sealed class OpenOverlays
{
    private readonly Lock _slotsLock = new();
    private readonly Dictionary<Guid, Slot> _slots = [];

    /// <summary>Opens an overlay; the first opening makes the core, the last one that is disposed closes it.</summary>
    /// <param name="entry">The overlay.</param>
    /// <param name="openCore">Claims it for this process and opens it; called when it is not open yet.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    public async Task<OverlayImage> OpenAsync(
        ImageEntry entry, Func<CancellationToken, Task<ClaimedCore>> openCore, CancellationToken cancellationToken)
    {
        Invariant.Holds(entry.Overlay is not null);
        var slot = Enter(entry.Id);
        try
        {
            await slot.Turn.WaitAsync(cancellationToken);
            try
            {
                slot.Claimed ??= await openCore(cancellationToken);
                return new OverlayImage(entry, slot.Claimed.Core, () => LeaveAsync(entry.Id, slot));
            }
            finally
            {
                slot.Turn.Release();
            }
        }
        catch
        {
            await LeaveAsync(entry.Id, slot);
            throw;
        }
    }

    private Slot Enter(Guid id)
    {
        lock (_slotsLock)
        {
            if (!_slots.TryGetValue(id, out var slot))
            {
                slot = new Slot();
                _slots.Add(id, slot);
            }

            slot.Users++;
            return slot;
        }
    }

    // Who comes while the last one closes the core waits, and finds the claim given up.
    private async ValueTask LeaveAsync(Guid id, Slot slot)
    {
        await slot.Turn.WaitAsync(CancellationToken.None);
        try
        {
            if (RemoveUser(slot) == 0 && slot.Claimed is { } claimed)
            {
                slot.Claimed = null;
                await using (claimed.Claim)
                {
                    await claimed.Core.DisposeAsync();
                }
            }
        }
        finally
        {
            slot.Turn.Release();
            RemoveUnused(id, slot);
        }
    }

    private int RemoveUser(Slot slot)
    {
        lock (_slotsLock)
        {
            return --slot.Users;
        }
    }

    private void RemoveUnused(Guid id, Slot slot)
    {
        lock (_slotsLock)
        {
            if (slot.Users == 0 && _slots.TryGetValue(id, out var current) && current == slot)
            {
                _slots.Remove(id);
            }
        }
    }

    [SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle nobody asks for holds nothing.")]
    private sealed class Slot
    {
        /// <summary>Held while the core is made, found or closed.</summary>
        public SemaphoreSlim Turn { get; } = new(1, 1);

        /// <summary>The core; null before the first opening and after the last one.</summary>
        public ClaimedCore? Claimed { get; set; }

        /// <summary>Openings, and those who wait for one.</summary>
        public int Users { get; set; }
    }
}

/// <summary>An opened overlay, and the claim on it.</summary>
/// <param name="Core">The overlay.</param>
/// <param name="Claim">Disposed when the overlay was closed, also when that failed.</param>
internal sealed record ClaimedCore(OverlayCore Core, IAsyncDisposable Claim);
