using Benji.Cli.Output;
using Benji.Store.Operations;
using Xunit;

namespace Benji.Tests.Cli.Output;

public class ProgressMeterTests
{
    private const long Mebi = 1024 * 1024;

    private readonly SteppedClock _clock = new();

    [Fact]
    public void ShowsShareAmountRateAndTimeLeft()
    {
        var meter = new ProgressMeter("reading", 100 * Mebi, ProgressUnit.Bytes, _clock);
        Assert.Equal(
            "reading  [..............................]    0 %  0 B of 100.0 MiB", meter.Render(120));
        _clock.Move(5);
        meter.Advance(50 * Mebi);
        Assert.Equal(
            "reading  [###############...............]   50 %  50.0 MiB of 100.0 MiB  10.0 MiB/s  5.0 s left",
            meter.Render(120));
    }

    [Fact]
    public void TheRateFollowsTheLastSeconds()
    {
        var meter = new ProgressMeter("reading", 1000 * Mebi, ProgressUnit.Bytes, _clock);
        for (var second = 0; second < 30; second++)
        {
            _clock.Move(1);
            meter.Advance(20 * Mebi);
            meter.Render(80);
        }

        for (var second = 0; second < 20; second++)
        {
            _clock.Move(1);
            meter.Advance(1 * Mebi);
            meter.Render(80);
        }

        Assert.Contains("  1.0 MiB/s  ", meter.Render(120), StringComparison.Ordinal);
    }

    [Fact]
    public void AStageOfUnknownLengthShowsWhatIsDone()
    {
        var meter = new ProgressMeter("listing", null, ProgressUnit.Items, _clock);
        _clock.Move(2);
        meter.Advance(3000);
        Assert.Equal("listing  3000  1500/s", meter.Render(80));
    }

    [Fact]
    public void AnEmptyStageDividesByNothing()
    {
        var meter = new ProgressMeter("reading", 0, ProgressUnit.Bytes, _clock);
        _clock.Move(1);
        Assert.Equal("reading  0 B", meter.Render(80));
    }

    [Fact]
    public void MoreThanAllIsAll()
    {
        var meter = new ProgressMeter("reading", 10, ProgressUnit.Items, _clock);
        _clock.Move(1);
        meter.Advance(12);
        Assert.Contains("100 %", meter.Render(80), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(200)]
    public void TheBarGivesWayToTheFigures(int width)
    {
        var meter = new ProgressMeter("reading", 1000 * Mebi, ProgressUnit.Bytes, _clock);
        _clock.Move(5);
        meter.Advance(50 * Mebi);
        var line = meter.Render(width);
        Assert.Contains("50.0 MiB of 1000.0 MiB", line, StringComparison.Ordinal);
        Assert.True(line.Length <= Math.Max(width, 75), line);
    }
}
