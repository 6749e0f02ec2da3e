using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;

namespace Benji.Store.Images.Overlays;

/// <summary>Lets writers of one overlay change units that do not overlap at once, and others one after another.</summary>
/// <remarks>Safe for concurrent calls; a wait blocks no thread. First come, first served among those that overlap.</remarks>
internal sealed class RangeLocks
{
    private readonly Lock _claimsLock = new();
    private readonly LinkedList<Claim> _claims = [];

    /// <summary>Waits until no other holder has a unit of the range; disposing the claim gives it up.</summary>
    public ValueTask<Claim> AcquireAsync(UnitRange range, CancellationToken cancellationToken)
    {
        var claim = new Claim(this, range);
        lock (_claimsLock)
        {
            claim.Node = _claims.AddLast(claim);
            claim.Blockers = CountBlockers(claim);
            if (claim.Blockers == 0)
            {
                return new ValueTask<Claim>(claim);
            }

            claim.Turn = new TaskCompletionSource<Claim>(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return WaitAsync(claim, cancellationToken);
    }

    /// <summary>Claims the range when nobody has or awaits a unit of it; null otherwise.</summary>
    public Claim? TryAcquire(UnitRange range)
    {
        var claim = new Claim(this, range);
        lock (_claimsLock)
        {
            claim.Node = _claims.AddLast(claim);
            if (CountBlockers(claim) == 0)
            {
                return claim;
            }

            _claims.RemoveLast();
            return null;
        }
    }

    private static async ValueTask<Claim> WaitAsync(Claim claim, CancellationToken cancellationToken)
    {
        try
        {
            return await claim.Turn!.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            claim.Dispose();
            throw;
        }
    }

    private static int CountBlockers(Claim claim)
    {
        var blockers = 0;
        for (var other = claim.Node!.Previous; other is not null; other = other.Previous)
        {
            blockers += other.Value.Range.Overlaps(claim.Range) ? 1 : 0;
        }

        return blockers;
    }

    private void Release(Claim claim)
    {
        lock (_claimsLock)
        {
            var node = claim.Node!;
            for (var later = node.Next; later is not null; later = later.Next)
            {
                if (later.Value.Range.Overlaps(claim.Range) && --later.Value.Blockers == 0)
                {
                    later.Value.Turn!.TrySetResult(later.Value);
                }
            }

            _claims.Remove(node);
            claim.Node = null;
        }
    }

    /// <summary>A claim on a range of units; given up once.</summary>
    internal sealed class Claim(RangeLocks locks, UnitRange range) : IDisposable
    {
        /// <summary>The units.</summary>
        public UnitRange Range { get; } = range;

        /// <summary>Its place among the claims.</summary>
        public LinkedListNode<Claim>? Node { get; set; }

        /// <summary>Earlier claims that overlap it.</summary>
        public int Blockers { get; set; }

        /// <summary>Set when it is its turn; null when it never had to wait.</summary>
        public TaskCompletionSource<Claim>? Turn { get; set; }

        /// <summary>Gives the range up.</summary>
        public void Dispose()
        {
            Invariant.Holds(Node is not null);
            locks.Release(this);
        }
    }
}
