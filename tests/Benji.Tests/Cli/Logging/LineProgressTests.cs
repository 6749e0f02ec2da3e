using System.Text;
using Benji.Cli.Logging;
using Benji.Cli.Streams;
using Benji.Store.Operations;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Benji.Tests.Cli.Logging;

/// <summary>What a run that nobody watches says of its progress.</summary>
public sealed class LineProgressTests : IDisposable
{
    private readonly MemoryStream _stream = new();
    private readonly AlarmClock _clock = new();

    [Fact]
    public async Task AStageSaysALineForEveryTenth()
    {
        await RunAsync(progress =>
        {
            progress.StartStage("reading", 1000, ProgressUnit.Items);
            for (var block = 0; block < 1000; block++)
            {
                _clock.Wait(TimeSpan.FromSeconds(0.2));
                progress.Advance(1);
            }
        });
        Assert.Equal(
            ["reading: 1000", .. Enumerable.Range(1, 9).Select(tenth => $"reading  {tenth * 10,3} %")],
            Lines.Select(line => line.Split(" %")[0] + (line.Contains('%', StringComparison.Ordinal) ? " %" : "")));
        Assert.Contains("500 of 1000  5/s  1 min 40 s left", Lines[5], StringComparison.Ordinal);
    }

    [Fact]
    public async Task AShortRunSaysOnlyThatItBegan()
    {
        await RunAsync(progress =>
        {
            progress.StartStage("reading", 1000, ProgressUnit.Bytes);
            for (var part = 0; part < 10; part++)
            {
                progress.Advance(100);
            }
        });
        Assert.Equal(["reading: 1000 B"], Lines);
    }

    [Fact]
    public async Task AfterHalfAMinuteOfSilenceALineIsSaid()
    {
        await RunAsync(progress =>
        {
            progress.StartStage("listing", null, ProgressUnit.Items);
            progress.Advance(60);
            _clock.Wait(TimeSpan.FromSeconds(29));
            _clock.Ring();
            _clock.Wait(TimeSpan.FromSeconds(1));
            _clock.Ring();
            _clock.Ring();
        });
        Assert.Equal(["listing", "listing  60  2/s"], Lines);
    }

    [Fact]
    public async Task BeforeTheFirstStageThereIsNothingToSay()
    {
        await RunAsync(progress =>
        {
            progress.Advance(5);
            _clock.Wait(TimeSpan.FromMinutes(1));
            _clock.Ring();
        });
        Assert.Empty(Lines);
    }

    public void Dispose() => _stream.Dispose();

    private string[] Lines =>
        [.. Encoding.UTF8.GetString(_stream.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line[(line.IndexOf("INFO", StringComparison.Ordinal) + 4)..].TrimStart(':', ' '))];

    private async Task RunAsync(Action<IOperationProgress> work)
    {
        var errors = new ErrorOutput(_stream, isTerminal: false, () => throw new IOException("no terminal"), hasColor: false);
        using var logging = new LogOutput(LogLevel.Information, new PlainLogWriter(errors, hasTraces: false), _clock);
        await using var progress = new LineProgress(logging.CreateLogger("Benji.Cli"), _clock);
        work(progress);
    }

    /// <summary>A clock whose only timer fires when the test says so.</summary>
    private sealed class AlarmClock : TimeProvider
    {
        private long _now;
        private TimerCallback? _alarm;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Wait(TimeSpan time) => _now += time.Ticks;

        public void Ring() => _alarm!(null);

        public override long GetTimestamp() => _now;

        public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddTicks(_now);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _alarm = callback;
            return new Alarm();
        }

        private sealed class Alarm : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
