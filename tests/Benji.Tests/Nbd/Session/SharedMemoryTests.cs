using Benji.Nbd.Protocol;
using Xunit;

namespace Benji.Tests.Nbd.Session;

/// <summary>Clients that keep memory which others wait for, and the memory of large writes.</summary>
public sealed class SharedMemoryTests
{
    private const int Size = 8 * 1024 * 1024;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AClientThatKeepsMemoryOthersWaitForIsEnded(bool isReading)
    {
        var command = isReading ? Command.Read : Command.Write;
        var clock = new SteppedClock();
        await using var served = await StartAsync(clock);
        await using var stuck = await served.OpenAsync("vm1/big@stuck");
        await using var other = await served.OpenAsync("vm1/big@other");
        await stuck.RequestAsync(command, 0, Size);
        await UntilBusyAsync(stuck, command);
        var waiting = other.RequestAsync(Command.Write, 0, Size, payload: new byte[Size]);
        await ServedImages.UntilAsync(
            () =>
            {
                clock.Advance(TimeSpan.FromSeconds(served.Server.Counters.Open == 2 ? 70 : 0));
                return served.Server.Counters.Open == 1;
            },
            "the end of the client that is stuck");

        // The hasty clock may have ended its request too, but not its connection.
        await waiting;
        await other.ReceiveReplyAsync(0, 0);
        Assert.Equal(NbdError.None, (await other.WriteAsync(0, new byte[Size])).Error);
        Assert.Contains(served.Log.Lines, line => line.Contains("memory that others waited for", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AClientForWhomNobodyWaitsMayTakeItsTime()
    {
        var clock = new SteppedClock();
        await using var served = await StartAsync(clock);
        await using var slow = await served.OpenAsync("vm1/big@slow");
        await slow.RequestAsync(Command.Write, 0, Size, payload: new byte[Size / 2]);
        for (var minute = 0; minute < 60; minute++)
        {
            clock.Advance(TimeSpan.FromMinutes(1));
        }

        await slow.SendAsync(new byte[Size / 2]);
        Assert.Equal(NbdError.None, (await slow.ReceiveReplyAsync(0, 0)).Error);
    }

    [Theory]
    [InlineData(0ul)]
    [InlineData(4096ul)]
    [InlineData(1ul << 62)]
    [InlineData(1ul << 63)]
    [InlineData(ulong.MaxValue)]
    public async Task TheOffsetAndLengthOfAFlushMeanNothing(ulong offset)
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1@work");
        Assert.Equal(NbdError.None, (await probe.CallAsync(Command.Flush, offset, 0)).Error);
        Assert.Equal(NbdError.None, (await probe.CallAsync(Command.Flush, offset, uint.MaxValue)).Error);
        Assert.Equal(NbdError.None, (await probe.WriteAsync(0, [1])).Error);
    }

    private static async Task<ServedImages> StartAsync(SteppedClock clock)
    {
        var served = await ServedImages.StartAsync(options => options with { Clock = clock, MemoryMax = Size });
        served.Images.Add("vm1/big", Noise());
        return served;
    }

    private static byte[] Noise()
    {
        var content = new byte[Size];
        new Random(1).NextBytes(content);
        return content;
    }

    // So much does not fit between the two of them: the memory is held when it has gone through, or when the reply begins.
    private static async Task UntilBusyAsync(NbdProbe stuck, Command command)
    {
        if (command == Command.Read)
        {
            await stuck.ReceiveAsync(4);
        }
        else
        {
            await stuck.SendAsync(new byte[Size - 1]);
        }
    }
}
