using Benji.Nbd;
using Benji.Nbd.Protocol;
using Xunit;

namespace Benji.Tests.Nbd.Session;

/// <summary>What the specification demands of requests that change an export, on an overlay.</summary>
public sealed class OverlayTests
{
    private const string Overlay = "vm1/v1@work";

    [Fact]
    public async Task AnOverlayIsMadeWhenItIsFirstOpenedAndIsSharedByConnections()
    {
        await using var served = await ServedImages.StartAsync();
        await using var first = await served.ConnectAsync();
        var info = await first.OpenAsync(Overlay);
        const TransmissionFlags changing = TransmissionFlags.SendTrim | TransmissionFlags.SendWriteZeroes
            | TransmissionFlags.SendFastZero | TransmissionFlags.CanMultiConn;
        Assert.Equal(changing, info.Flags & (changing | TransmissionFlags.ReadOnly));
        await using var second = await served.OpenAsync(Overlay);
        Assert.Equal(NbdError.None, (await first.WriteAsync(1000, [1, 2, 3])).Error);
        Assert.Equal(NbdError.None, (await second.CallAsync(Command.Flush, 0, 0)).Error);
        Assert.Equal([1, 2, 3], (await second.CallAsync(Command.Read, 1000, 3)).Data);
        Assert.Equal([1, 2, 3], served.Images.ContentOf(Overlay)[1000..1003]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WritesOfAnySizeArriveWhole(bool isStructured)
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync(Overlay, isStructured);
        var random = new Random(7);
        foreach (var length in new[] { 1, 27, 28, 4096, 65536, 700_000, ServedImages.Size })
        {
            var data = new byte[length];
            random.NextBytes(data);
            var offset = (ulong)(ServedImages.Size - length);
            Assert.Equal(NbdError.None, (await probe.WriteAsync(offset, data, CommandFlags.Fua)).Error);
            var read = await probe.CallAsync(Command.Read, offset, (uint)length);
            Assert.True(data.AsSpan().SequenceEqual(read.Data), $"{length} bytes");
        }
    }

    [Fact]
    public async Task ZerosAndTrimsReadAsZeros()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync(Overlay);
        (Command Command, CommandFlags Flags)[] ways =
        [
            (Command.Trim, 0), (Command.WriteZeroes, 0), (Command.WriteZeroes, CommandFlags.NoHole),
            (Command.WriteZeroes, CommandFlags.FastZero), (Command.WriteZeroes, CommandFlags.Fua | CommandFlags.NoHole),
        ];
        ulong offset = 0;
        foreach (var (command, flags) in ways)
        {
            Assert.Equal(NbdError.None, (await probe.CallAsync(command, offset, 5000, flags)).Error);
            var read = await probe.CallAsync(Command.Read, offset, 5001);
            Assert.All(read.Data[..5000], value => Assert.Equal(0, value));
            Assert.Equal(served.Content[(int)offset + 5000], read.Data[5000]);
            offset += 8192;
        }
    }

    [Fact]
    public async Task WhatIsNotAllowedIsRefusedInSync()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync(Overlay);
        const uint size = ServedImages.Size;
        Assert.Equal(NbdError.NoSpace, (await probe.WriteAsync(size - 1, [1, 2])).Error);
        Assert.Equal(NbdError.NoSpace, (await probe.WriteAsync(ulong.MaxValue, [1, 2])).Error);
        Assert.Equal(NbdError.NoSpace, (await probe.CallAsync(Command.WriteZeroes, 1, size)).Error);
        Assert.Equal(NbdError.Invalid, (await probe.CallAsync(Command.Trim, 1, size)).Error);
        Assert.Equal(NbdError.Invalid, (await probe.CallAsync(Command.Trim, 0, 1, CommandFlags.NoHole)).Error);
        Assert.Equal(NbdError.Invalid, (await probe.CallAsync(Command.Trim, 0, 1, CommandFlags.FastZero)).Error);
        Assert.Equal(NbdError.Invalid, (await probe.WriteAsync(0, new byte[NbdLimits.PayloadMax + 1])).Error);
        Assert.Equal(served.Content, (await probe.CallAsync(Command.Read, 0, size)).Data);
    }

    [Fact]
    public async Task AFullDiskIsNoSpaceAndThenGoesOn()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync(Overlay);
        served.Images.Faults.IsFull = true;
        var full = await probe.WriteAsync(0, [1]);
        Assert.Equal(NbdError.NoSpace, full.Error);
        Assert.Contains("full", full.Text, StringComparison.Ordinal);
        served.Images.Faults.IsFull = false;
        Assert.Equal(NbdError.None, (await probe.WriteAsync(0, [1])).Error);
    }

    [Fact]
    public async Task ContextsOfAnOverlayThatIsStillToBeMadeCanBeChosen()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync(Overlay, true, "base:allocation", "x-benji:changed:vm1/v1");
        await probe.WriteAsync(4096, [1]);
        var reply = await probe.CallAsync(Command.BlockStatus, 0, 16384);
        Assert.Equal([new(4096, 0), new(4096, 1), new(8192, 0)], reply.Status[2]);
    }

    [Fact]
    public async Task AReadOnlyServerMakesNoOverlayAndChangesNone()
    {
        await using var served = await ServedImages.StartAsync(options => options with { ReadOnly = true });
        await using var missing = await served.ConnectAsync();
        await missing.GreetAsync();
        Assert.Equal(OptionReply.ErrUnknown, (await missing.AskForAsync(OptionCode.Go, Overlay))[0].Reply);
        var version = await served.Images.FindAsync("vm1/v1", CancellationToken.None);
        await served.Images.CreateOverlayAsync(version!, "work", CancellationToken.None);
        await using var probe = await served.ConnectAsync();
        Assert.True(((await probe.OpenAsync(Overlay)).Flags & TransmissionFlags.ReadOnly) != 0);
        Assert.Equal(NbdError.NotPermitted, (await probe.WriteAsync(0, [1])).Error);
    }

    [Fact]
    public async Task AnOverlayOfLatestIsFoundByThatName()
    {
        await using var served = await ServedImages.StartAsync();
        await using (var maker = await served.OpenAsync(Overlay))
        {
            await maker.WriteAsync(0, [7]);
        }

        var name = $"vm1/latest@{Overlay[(Overlay.IndexOf('@', StringComparison.Ordinal) + 1)..]}";
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        var answers = await probe.AskForAsync(OptionCode.Go, name, InfoType.Name);
        Assert.Equal(OptionReply.Ack, answers[^1].Reply);
        Assert.Equal(Overlay, TextInfo.Parse(answers[1].Data));
    }

    [Fact]
    public async Task NoOverlayIsMadeOnLatest()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        Assert.Equal(OptionReply.ErrUnknown, (await probe.AskForAsync(OptionCode.Go, "vm1/latest@work"))[0].Reply);
    }

    [Theory]
    [InlineData(WritableVersions.Discard, true, 0, 0)]
    [InlineData(WritableVersions.Discard, false, 0, 0)]
    [InlineData(WritableVersions.Promote, true, 0, 1)]
    [InlineData(WritableVersions.Promote, false, 1, 0)]
    public async Task AThrowAwayOverlayEndsAsWasSaid(WritableVersions mode, bool isClean, int overlays, int promoted)
    {
        await using var served = await ServedImages.StartAsync(options => options with { Writable = mode });
        await using var probe = await served.ConnectAsync();
        var flags = (await probe.OpenAsync("vm1/v1", true, "x-benji:changed:vm1/v1")).Flags;
        Assert.Equal(TransmissionFlags.None, flags & (TransmissionFlags.ReadOnly | TransmissionFlags.CanMultiConn));
        await using var other = await served.OpenAsync("vm1/v1");
        Assert.Single(await served.Images.ListAsync("vm1", CancellationToken.None));
        Assert.Equal(NbdError.None, (await probe.WriteAsync(4096, [1, 2, 3])).Error);
        Assert.Equal([1, 2, 3], (await probe.CallAsync(Command.Read, 4096, 3)).Data);
        Assert.Equal(served.Content[4096..4099], (await other.CallAsync(Command.Read, 4096, 3)).Data);
        var status = await probe.CallAsync(Command.BlockStatus, 0, 16384);
        Assert.Equal([new(4096, 0), new(4096, 1), new(8192, 0)], status.Status[1]);
        if (isClean)
        {
            await probe.RequestAsync(Command.Disconnect, 0, 0);
        }

        await probe.Stream.DisposeAsync();
        await ServedImages.UntilAsync(() => served.Server.Counters.Open == 1, "the end of the connection");
        var entries = await served.Images.ListAsync("vm1", CancellationToken.None);
        Assert.Equal(overlays, entries.Count(entry => entry.Overlay is not null));
        Assert.Equal(1 + promoted, entries.Count(entry => entry.Overlay is null));
        if (promoted > 0)
        {
            Assert.Equal([1, 2, 3], served.Images.ContentOf(entries[^1].Name)[4096..4099]);
        }

        Assert.Equal(overlays, served.Log.Lines.Count(line => line.Contains("is kept", StringComparison.Ordinal)));
    }
}
