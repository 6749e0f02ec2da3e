namespace Benji.Store.Images.Overlays;

/// <summary>When the content of an overlay last changed.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
/// <param name="time">The clock.</param>
/// <param name="last">When it did before.</param>
internal sealed class ContentTime(TimeProvider time, DateTimeOffset last)
{
    private long _lastTicks = last.UtcTicks;

    /// <summary>When it last changed, UTC.</summary>
    public DateTimeOffset Last => new(Interlocked.Read(ref _lastTicks), TimeSpan.Zero);

    /// <summary>Says that it changes now; called before a change and again when it is done or has failed half way, so that
    /// nobody who looks in between keeps an earlier time.</summary>
    public void Note() => Interlocked.Exchange(ref _lastTicks, time.GetUtcNow().UtcTicks);
}
