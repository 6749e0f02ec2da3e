using Benji.Nbd.Protocol;
using Xunit;

namespace Benji.Tests.Nbd.Session;

/// <summary>What clients that are broken, slow, dead or hostile get, and that the others do not notice.</summary>
public sealed class AbuseTests
{
    [Fact]
    public async Task TwoHundredRequestsAndAClosedSocketHarmNobody()
    {
        await using var served = await ServedImages.StartAsync();
        for (var round = 0; round < 5; round++)
        {
            var probe = await served.OpenAsync("vm1/v1");
            for (var i = 0; i < 200; i++)
            {
                await probe.RequestAsync(Command.Read, 0, 65536, cookie: (ulong)i);
            }

            await probe.DisposeAsync();
        }

        await AssertServesAsync(served);
        await ServedImages.UntilAsync(() => served.Server.Counters.Open == 0, "the end of all connections");
    }

    [Fact]
    public async Task AClientThatDiesWhileTheStoreWorksLeavesNothing()
    {
        await using var served = await ServedImages.StartAsync();
        var gate = new TaskCompletionSource();
        var reading = 0;
        served.Images.Faults.Reading = (_, _) =>
        {
            Interlocked.Increment(ref reading);
            return new ValueTask(gate.Task);
        };
        var probe = await served.OpenAsync("vm1/v1");
        for (var i = 0; i < 40; i++)
        {
            await probe.RequestAsync(Command.Read, 0, 4096);
        }

        await ServedImages.UntilAsync(() => Volatile.Read(ref reading) == 16, "as many reads as are allowed");
        await probe.DisposeAsync();
        served.Images.Faults.Reading = null;
        await AssertServesAsync(served);
        Assert.True(served.Images.OpenCount > 0, "an image must stay open while a request uses it");
        gate.SetResult();
        await ServedImages.UntilAsync(() => served.Images.OpenCount == 0, "the image to be closed");
    }

    [Fact]
    public async Task AClientThatReadsNoReplyIsNotReadFrom()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1");
        const int requests = 2000;
        const uint length = 512 * 1024;
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < requests; i++)
            {
                await probe.RequestAsync(Command.Read, 0, length, cookie: (ulong)i);
            }
        });

        // What is answered stays far below what was asked: kernel buffers and one batch.
        await AssertServesAsync(served);
        Assert.True(served.Server.Counters.Requests < 200, $"{served.Server.Counters.Requests} requests were answered");
        for (var i = 0; i < requests; i++)
        {
            var reply = await probe.ReceiveReplyAsync((int)length, 0);
            Assert.Equal((ulong)i, reply.Cookie);
        }

        await sending;
    }

    [Fact]
    public async Task AnOptionOfFourGibibytesEndsTheConnection()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        var header = new byte[OptionHeader.Size];
        new OptionHeader(OptionCode.Go, uint.MaxValue).Write(header);
        await probe.SendAsync(header);
        Assert.True(await probe.IsClosedAsync());
        Assert.Single(served.Log.Lines, line => line.Contains("4294967295", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AThousandOptionsEndTheConnection()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        var option = new byte[OptionHeader.Size];
        new OptionHeader(OptionCode.List, 0).Write(option);
        try
        {
            await probe.SendAsync([.. Enumerable.Repeat(option, 1000).SelectMany(bytes => bytes)]);
            while (await probe.Stream.ReadAsync(new byte[4096]) > 0)
            {
            }
        }
        catch (IOException)
        {
            // The server may close while we still send.
        }

        await AssertServesAsync(served);
    }

    [Fact]
    public async Task HalfAHandshakeEndsWithItsTime()
    {
        var clock = new SteppedClock();
        await using var served = await ServedImages.StartAsync(options => options with { Clock = clock });
        await using var silent = await served.ConnectAsync();
        await using var half = await served.ConnectAsync();
        await half.GreetAsync();
        await half.SendAsync([0x49, 0x48, 0x41]);
        await using var good = await served.OpenAsync("vm1/v1");
        await ServedImages.UntilAsync(() => served.Server.Counters.Open == 3, "all connections");
        clock.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(3, served.Server.Counters.Open);
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.True(await half.IsClosedAsync());
        await ServedImages.UntilAsync(() => served.Server.Counters.Open == 1, "the end of both");
        Assert.Equal(served.Content[..8], (await good.CallAsync(Command.Read, 0, 8)).Data);
    }

    [Fact]
    public async Task GarbageAfterTheHandshakeEndsTheConnection()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1");
        await probe.SendAsync(new byte[RequestHeader.Size]);
        Assert.True(await probe.IsClosedAsync());
        await AssertServesAsync(served);
        await ServedImages.UntilAsync(() => served.Images.OpenCount == 0, "the image to be closed");
        Assert.Single(served.Log.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AWriteOfMoreThanCanBeDroppedEndsTheConnection()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1@work");
        await probe.RequestAsync(Command.Write, 0, (2u * NbdLimits.PayloadMax) + 1);
        Assert.True(await probe.IsClosedAsync());
    }

    [Fact]
    public async Task FiveHundredIdleConnectionsDoNotKeepAGoodClientOut()
    {
        await using var served = await ServedImages.StartAsync(options => options with { ConnectionsMax = 50 });
        var idle = new List<NbdProbe>();
        for (var i = 0; i < 500; i++)
        {
            idle.Add(await served.ConnectAsync());
        }

        await AssertServesAsync(served);
        Assert.True(served.Server.Counters.Open <= 60, $"{served.Server.Counters.Open} connections are open");
        Assert.True(served.Log.Lines.Count(line => line.StartsWith("Warning", StringComparison.Ordinal)) <= 40);
        foreach (var probe in idle)
        {
            await probe.DisposeAsync();
        }
    }

    [Fact]
    public async Task ClientsAtWorkAreNotDroppedForNewOnes()
    {
        await using var served = await ServedImages.StartAsync(options => options with { ConnectionsMax = 2 });
        await using var first = await served.OpenAsync("vm1/v1");
        await using var second = await served.OpenAsync("vm1/v1");
        await using var third = await served.ConnectAsync();
        Assert.True(await third.IsClosedAsync());
        Assert.Equal(served.Content[..8], (await first.CallAsync(Command.Read, 0, 8)).Data);
        Assert.Equal(served.Content[..8], (await second.CallAsync(Command.Read, 0, 8)).Data);
    }

    /// <summary>It is at work from its choice on, not from the answer: it may go on before the server has taken note.</summary>
    [Fact]
    public async Task AClientWhoseExportIsBeingOpenedIsNotDroppedForANewOne()
    {
        await using var served = await ServedImages.StartAsync(options => options with { ConnectionsMax = 1 });
        var (begun, go) = (NewSignal(), NewSignal());
        served.Images.Faults.Opening = () =>
        {
            begun.SetResult();
            return go.Task;
        };
        await using var first = await served.ConnectAsync();
        var opening = first.OpenAsync("vm1/v1");
        await begun.Task;
        await using var second = await served.ConnectAsync();
        Assert.True(await second.IsClosedAsync());
        go.SetResult();
        await opening;
        Assert.Equal(served.Content[..8], (await first.CallAsync(Command.Read, 0, 8)).Data);
    }

    [Fact]
    public async Task AStoreThatHangsIsAnErrorInTimeAndOthersGoOn()
    {
        var clock = new SteppedClock();
        await using var served = await ServedImages.StartAsync(options => options with { Clock = clock });
        var hanging = 0;
        served.Images.Faults.Reading = async (offset, end) =>
        {
            if (offset == 0)
            {
                Interlocked.Increment(ref hanging);
                await Task.Delay(Timeout.Infinite, end);
            }
        };
        await using var probe = await served.OpenAsync("vm1/v1");
        await probe.RequestAsync(Command.Read, 0, 4096, cookie: 5);
        await AssertServesAsync(served, offset: 8192);
        await ServedImages.UntilAsync(() => Volatile.Read(ref hanging) == 1, "the wait to begin");
        clock.Advance(TimeSpan.FromSeconds(26));
        var late = await probe.ReceiveReplyAsync(4096, 0);
        Assert.Equal((NbdError.InputOutput, 5ul), (late.Error, late.Cookie));
        Assert.Contains("in time", late.Text, StringComparison.Ordinal);
        served.Images.Faults.Reading = null;
    }

    [Fact]
    public async Task SlowClientsThatHoldAllMemoryDoNotStopSmallRequests()
    {
        await using var served = await ServedImages.StartAsync(options => options with { MemoryMax = 4 * 1024 * 1024 });
        var gate = new TaskCompletionSource();
        served.Images.Faults.Reading = (offset, _) => offset == 0 ? new ValueTask(gate.Task) : default;
        await using var slow = await served.OpenAsync("vm1/v1");
        for (var i = 0; i < 8; i++)
        {
            await slow.RequestAsync(Command.Read, 0, 1024 * 1024, cookie: (ulong)i);
        }

        await AssertServesAsync(served, offset: 8192);
        gate.SetResult();
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(NbdError.None, (await slow.ReceiveReplyAsync(1024 * 1024, 0)).Error);
        }

        served.Images.Faults.Reading = null;
    }

    [Fact]
    public async Task AFailingClientLogsOneLine()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1");
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(NbdError.Invalid, (await probe.CallAsync((Command)77, 0, 0)).Error);
        }

        Assert.Single(served.Log.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal));
    }

    internal static async Task AssertServesAsync(ServedImages served, int offset = 0)
    {
        await using var probe = await served.OpenAsync("vm1/v1");
        var reply = await probe.CallAsync(Command.Read, (ulong)offset, 4096);
        Assert.Equal(served.Content[offset..(offset + 4096)], reply.Data);
        await probe.RequestAsync(Command.Disconnect, 0, 0);
        Assert.True(await probe.IsClosedAsync());
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
