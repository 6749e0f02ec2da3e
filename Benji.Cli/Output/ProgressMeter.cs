using System.Globalization;
using Benji.Store.Operations;

namespace Benji.Cli.Output;

/// <summary>Measures one stage: how much is done, how fast over the last seconds, how long it will take.</summary>
/// <remarks><see cref="Advance"/> is safe for concurrent calls; <see cref="Render"/> is called by one at a time.</remarks>
internal sealed class ProgressMeter(string stage, long? total, ProgressUnit unit, TimeProvider time)
{
    // Long enough to smooth the bursts of group commits, short enough to follow a slowing disk.
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan SampleSpacing = TimeSpan.FromSeconds(0.5);

    private readonly long _started = time.GetTimestamp();
    private readonly Queue<(TimeSpan At, long Done)> _samples = new([(TimeSpan.Zero, 0)]);
    private TimeSpan _newestSample;
    private long _done;

    /// <summary>Counts units that are done.</summary>
    public void Advance(long units) => Interlocked.Add(ref _done, units);

    /// <summary>Returns the stage in one line of at most <paramref name="width"/> columns, bar included where it fits.</summary>
    public string Render(int width)
    {
        var now = time.GetElapsedTime(_started);
        var done = Interlocked.Read(ref _done);
        var rate = MeasureRate(now, done);

        if (total is not { } whole || whole <= 0)
        {
            return $"{stage}  {Amount(done)}{RateText(rate)}";
        }

        var share = Math.Clamp((double)done / whole, 0, 1);
        var percent = ((int)(share * 100)).ToString(CultureInfo.InvariantCulture).PadLeft(3);
        var left = rate > 0 && done < whole
            ? $"  {Quantities.Duration(SecondsLeft((whole - done) / rate))} left"
            : "";
        var text = $"{percent} %  {Amount(done)} of {Amount(whole)}{RateText(rate)}{left}";
        return $"{stage}  {Bar(share, width - stage.Length - text.Length - 6)}{text}";
    }

    private static TimeSpan SecondsLeft(double seconds) =>
        TimeSpan.FromSeconds(Math.Min(seconds, TimeSpan.FromDays(999).TotalSeconds));

    private static string Bar(double share, int room)
    {
        var length = Math.Min(room, 30);
        if (length < 8)
        {
            return "";
        }

        var filled = (int)(share * length);
        return $"[{new string('#', filled)}{new string('.', length - filled)}]  ";
    }

    private double MeasureRate(TimeSpan now, long done)
    {
        while (_samples.Count > 1 && now - _samples.Peek().At > Window)
        {
            _samples.Dequeue();
        }

        var (at, before) = _samples.Peek();
        if (now - _newestSample >= SampleSpacing)
        {
            _samples.Enqueue((now, done));
            _newestSample = now;
        }

        // The first half second says nothing yet.
        return now - at < SampleSpacing ? 0 : (done - before) / (now - at).TotalSeconds;
    }

    private string Amount(long value) => unit == ProgressUnit.Bytes
        ? Quantities.Bytes(value)
        : value.ToString(CultureInfo.InvariantCulture);

    private string RateText(double rate) => rate <= 0
        ? ""
        : unit == ProgressUnit.Bytes
            ? $"  {Quantities.Bytes((long)rate)}/s"
            : string.Create(CultureInfo.InvariantCulture, $"  {rate:F0}/s");
}
