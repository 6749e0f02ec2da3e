using Benji.Store.Model;

namespace Benji.Store.Storages.Wrappers;

/// <summary>Holds bytes back so that over any longer time no more than a rate pass; one second's worth may pass at once.</summary>
/// <remarks>A single take may exceed a second's worth: it goes when the bucket is full and leaves a debt that those behind
/// it wait for. Takes go in the order of their calls. Safe for concurrent calls.</remarks>
internal sealed class TokenBucket
{
    private readonly Lock _balanceLock = new();
    private readonly TimeProvider _time;
    private readonly double _rateBytesPerSecond;
    private double _balance;
    private long _updated;

    /// <summary>Creates a full bucket.</summary>
    /// <param name="rateBytesPerSecond">At least 1; also the bytes that may pass at once.</param>
    /// <param name="time">The clock.</param>
    public TokenBucket(long rateBytesPerSecond, TimeProvider time)
    {
        Invariant.Holds(rateBytesPerSecond >= 1);
        _rateBytesPerSecond = rateBytesPerSecond;
        _time = time;
        _balance = rateBytesPerSecond;
        _updated = time.GetTimestamp();
    }

    /// <summary>Waits until <paramref name="bytes"/> may pass.</summary>
    /// <remarks>Cancelling gives the bytes back.</remarks>
    public async ValueTask TakeAsync(long bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var wait = Take(bytes);
        if (wait <= TimeSpan.Zero)
        {
            return;
        }

        try
        {
            await Task.Delay(wait, _time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Return(bytes);
            throw;
        }
    }

    /// <summary>Gives bytes back that were taken and did not pass.</summary>
    public void Return(long bytes)
    {
        lock (_balanceLock)
        {
            _balance += bytes;
        }
    }

    // The caller waits until the bucket, with all that was taken before, would hold these bytes or be full.
    private TimeSpan Take(long bytes)
    {
        lock (_balanceLock)
        {
            var now = _time.GetTimestamp();
            var earned = _time.GetElapsedTime(_updated, now).TotalSeconds * _rateBytesPerSecond;
            _balance = Math.Min(_balance + earned, _rateBytesPerSecond);
            _updated = now;
            var needed = Math.Min(bytes, _rateBytesPerSecond);
            var missing = needed - _balance;
            _balance -= bytes;

            // Rounded up to the clock's whole milliseconds, so that nobody comes back early.
            return TimeSpan.FromMilliseconds(Math.Ceiling(missing / _rateBytesPerSecond * 1000));
        }
    }
}
