using Benji.Nbd.Transport;
using Benji.Tests.Nbd.Session;
using Xunit;

namespace Benji.Tests.Nbd.Transport;

/// <summary>How much clients may make a server log.</summary>
public sealed class LogGateTests
{
    [Fact]
    public void SoManyLinesArePassedAndTheOthersAreCounted()
    {
        var clock = new SteppedClock();
        var log = new LogLines();
        var gate = new LogGate(clock, log);
        Assert.Equal(LogGate.LinesMax, Enumerable.Range(0, 100).Count(_ => gate.MayLog()));
        Assert.Empty(log.Lines);
        clock.Advance(LogGate.Period);
        Assert.True(gate.MayLog());
        Assert.Contains("80 more messages", Assert.Single(log.Lines), StringComparison.Ordinal);
        Assert.Equal(LogGate.LinesMax - 1, Enumerable.Range(0, 100).Count(_ => gate.MayLog()));
    }
}
