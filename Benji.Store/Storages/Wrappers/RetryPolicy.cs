using Benji.Store.Model;

namespace Benji.Store.Storages.Wrappers;

/// <summary>How often a transient failure is tried again, and how long is waited before it.</summary>
/// <param name="AttemptsMax">Tries of one call, the first included; at least 1.</param>
/// <param name="DelayMin">The longest wait before the second try; it doubles with each further one.</param>
/// <param name="DelayMax">The longest wait before any try.</param>
internal sealed record RetryPolicy(int AttemptsMax, TimeSpan DelayMin, TimeSpan DelayMax)
{
    /// <summary>Five tries over at most some three seconds.</summary>
    public static RetryPolicy Default { get; } = new(5, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(30));

    /// <summary>Returns the wait after a failed try: a random half to whole of the doubled minimum.</summary>
    /// <param name="attempt">The try that failed, counted from 1.</param>
    /// <param name="jitter">From 0 to 1; spreads runs that failed together.</param>
    public TimeSpan DelayAfter(int attempt, double jitter)
    {
        Invariant.Holds(attempt >= 1 && jitter is >= 0 and <= 1);
        var whole = Math.Min(DelayMin.TotalSeconds * Math.Pow(2, Math.Min(attempt - 1, 60)), DelayMax.TotalSeconds);
        return TimeSpan.FromSeconds(whole * (0.5 + (jitter / 2)));
    }
}
