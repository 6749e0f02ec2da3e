using Benji.Nbd.Protocol;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Nbd.Session;

/// <summary>What the specification demands of requests to a version.</summary>
public sealed class ReadTests
{
    [Fact]
    public async Task AVersionIsReadOnlyAndMultiConnAndLatestIsNot()
    {
        await using var served = await ServedImages.StartAsync();
        await using var version = await served.ConnectAsync();
        const TransmissionFlags always = TransmissionFlags.HasFlags | TransmissionFlags.ReadOnly | TransmissionFlags.SendFlush
            | TransmissionFlags.SendFua | TransmissionFlags.SendCache;
        var info = await version.OpenAsync("vm1/v1");
        Assert.Equal(always | TransmissionFlags.SendDontFragment | TransmissionFlags.CanMultiConn, info.Flags);
        await using var latest = await served.ConnectAsync();
        Assert.Equal(always, (await latest.OpenAsync("vm1/latest", isStructured: false)).Flags);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task EveryByteCanBeReadAtAnyOffsetAndLength(bool isStructured)
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1", isStructured);
        (int Offset, int Length)[] ranges =
        [
            (0, 1), (0, ServedImages.Size), (ServedImages.Size - 1, 1), (1000, 3), (262143, 2), (200_000, 400_000),
            (262144, 262144), (300_000, 1000),
        ];
        foreach (var (offset, length) in ranges)
        {
            var reply = await probe.CallAsync(Command.Read, (ulong)offset, (uint)length, cookie: 0xfedcba9876543210);
            Assert.Equal(NbdError.None, reply.Error);
            Assert.Equal(0xfedcba9876543210, reply.Cookie);
            Assert.True(served.Content.AsSpan(offset, length).SequenceEqual(reply.Data), $"{offset}, {length}");
        }
    }

    [Fact]
    public async Task ZerosAreHolesInChunksUnlessTheClientForbidsPieces()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1");
        var pieces = await probe.CallAsync(Command.Read, 200_000, 400_000);
        Assert.Equal([ChunkType.OffsetData, ChunkType.OffsetHole, ChunkType.OffsetData], pieces.Chunks);
        var whole = await probe.CallAsync(Command.Read, 200_000, 400_000, CommandFlags.DontFragment);
        Assert.Equal([ChunkType.OffsetData], whole.Chunks);
        Assert.Equal(pieces.Data, whole.Data);
        var hole = await probe.CallAsync(Command.Read, 300_000, 400, CommandFlags.DontFragment);
        Assert.Equal([ChunkType.OffsetHole], hole.Chunks);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhatWaitsForTheStoreIsReadTheSame(bool isStructured)
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1", isStructured);
        served.Images.Faults.Reading = (_, _) => default;
        var reply = await probe.CallAsync(Command.Read, 200_000, 400_000);
        Assert.True(served.Content.AsSpan(200_000, 400_000).SequenceEqual(reply.Data));
        served.Images.Faults.Reading = null;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhatIsNotAllowedIsRefusedInSync(bool isStructured)
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1", isStructured);
        const uint size = ServedImages.Size;
        var data = new byte[512];
        (Command Command, ulong Offset, uint Length, CommandFlags Flags, byte[]? Payload, NbdError Error)[] cases =
        [
            (Command.Read, size, 1, 0, null, NbdError.Invalid),
            (Command.Read, size - 1, 2, 0, null, NbdError.Invalid),
            (Command.Read, ulong.MaxValue, 2, 0, null, NbdError.Invalid),
            (Command.Read, 0, uint.MaxValue, 0, null, NbdError.Invalid),
            (Command.Read, 0, 1, CommandFlags.NoHole, null, NbdError.Invalid),
            (Command.Read, 0, 1, (CommandFlags)0x8000, null, NbdError.Invalid),
            (Command.Read, 0, 1, CommandFlags.RequestOne, null, NbdError.Invalid),
            (Command.Flush, 0, 0, CommandFlags.NoHole, null, NbdError.Invalid),
            (Command.Cache, 0, 1, CommandFlags.DontFragment, null, NbdError.Invalid),
            (Command.Cache, size, 1, 0, null, NbdError.Invalid),
            (Command.Write, 0, 512, 0, data, NbdError.NotPermitted),
            (Command.Write, 0, 512, (CommandFlags)0x8000, data, NbdError.Invalid),
            (Command.Trim, 0, 512, 0, null, NbdError.NotPermitted),
            (Command.WriteZeroes, 0, 512, CommandFlags.NoHole, null, NbdError.NotPermitted),
            (Command.BlockStatus, 0, 512, 0, null, NbdError.Invalid),
            (Command.Resize, 0, 512, 0, null, NbdError.Invalid),
            ((Command)999, 0, 512, 0, null, NbdError.Invalid),
        ];
        foreach (var (command, offset, length, flags, payload, error) in cases)
        {
            var reply = await probe.CallAsync(command, offset, length, flags, cookie: 99, payload);
            Assert.Equal((error, 99ul), (reply.Error, reply.Cookie));
            Assert.Equal(isStructured, reply.Text.Length > 0);
            Assert.Equal(served.Content[..16], (await probe.CallAsync(Command.Read, 0, 16)).Data);
        }
    }

    [Theory]
    [InlineData(4095, false)]
    [InlineData(4096, true)]
    [InlineData(8191, true)]
    [InlineData(8192, false)]
    [InlineData(0, false)]
    public async Task AFailureNamesOnlyAnOffsetOfItsRequest(long offset, bool isTold)
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1");
        served.Images.Faults.Reading = (_, _) => throw new DamagedImageException("A block is damaged, as told.", offset);
        var reply = await probe.CallAsync(Command.Read, 4096, 4096);
        Assert.Equal((NbdError.InputOutput, isTold ? (ulong?)offset : null), (reply.Error, reply.ErrorOffset));
        Assert.Contains("as told", reply.Text, StringComparison.Ordinal);
        served.Images.Faults.Reading = null;
    }

    [Fact]
    public async Task DontFragmentNeedsStructuredReplies()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1", isStructured: false);
        Assert.Equal(NbdError.Invalid, (await probe.CallAsync(Command.Read, 0, 1, CommandFlags.DontFragment)).Error);
    }

    [Fact]
    public async Task WhatDoesNothingSucceeds()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1");
        Assert.Equal(NbdError.None, (await probe.CallAsync(Command.Read, 0, 0)).Error);
        Assert.Equal(NbdError.None, (await probe.CallAsync(Command.Read, 0, 1, CommandFlags.Fua)).Error);
        Assert.Equal(NbdError.None, (await probe.CallAsync(Command.Flush, 0, 0)).Error);
        Assert.Equal(NbdError.None, (await probe.CallAsync(Command.Flush, 0, 0, CommandFlags.Fua)).Error);
        Assert.Equal(NbdError.None, (await probe.CallAsync(Command.Cache, 0, ServedImages.Size)).Error);
    }

    [Fact]
    public async Task DamageIsAnErrorAtItsOffsetAndOtherRangesAreFine()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1");
        served.Images.Faults.Damaged = (100_000, 10);
        var reply = await probe.CallAsync(Command.Read, 90_000, 20_000);
        Assert.Equal((NbdError.InputOutput, 100_000ul), (reply.Error, reply.ErrorOffset));
        Assert.Contains("Block 7", reply.Text, StringComparison.Ordinal);
        Assert.Equal(served.Content[..1000], (await probe.CallAsync(Command.Read, 0, 1000)).Data);
        Assert.Contains(served.Log.Lines, line => line.Contains("Block 7", StringComparison.Ordinal));
        served.Images.Faults.Damaged = default;
    }

    [Fact]
    public async Task AClientThatSendsAndTakesSingleBytesIsServed()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1@slow");
        var data = new byte[600];
        new Random(5).NextBytes(data);
        var write = new byte[RequestHeader.Size + data.Length];
        new RequestHeader(CommandFlags.None, Command.Write, 3, 100, (uint)data.Length).Write(write);
        data.CopyTo(write, RequestHeader.Size);
        var read = new byte[RequestHeader.Size];
        new RequestHeader(CommandFlags.DontFragment, Command.Read, 4, 100, (uint)data.Length).Write(read);
        foreach (var value in write)
        {
            await probe.SendAsync([value]);
        }

        Assert.Equal(NbdError.None, (await probe.ReceiveReplyAsync(0, 0)).Error);
        foreach (var value in read)
        {
            await probe.SendAsync([value]);
        }

        var reply = new List<byte>();
        for (var i = 0; i < ChunkHeader.Size + ReadChunks.OffsetSize + data.Length; i++)
        {
            reply.AddRange(await probe.ReceiveAsync(1));
        }

        Assert.Equal(data, reply[^data.Length..]);
    }

    [Fact]
    public async Task RepliesComeAsTheyAreReady()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1");
        var gate = new TaskCompletionSource();
        served.Images.Faults.Reading = (offset, _) => offset == 0 ? new ValueTask(gate.Task) : default;
        await probe.RequestAsync(Command.Read, 0, 512, cookie: 1);
        await probe.RequestAsync(Command.Read, 512, 512, cookie: 2);
        Assert.Equal(2ul, (await probe.ReceiveReplyAsync(512, 512)).Cookie);
        served.Images.Faults.Reading = null;
        Assert.Equal(1ul, (await probe.CallAsync(Command.Read, 1024, 512)).Cookie);
        gate.SetResult();
        var late = await probe.ReceiveReplyAsync(512, 0);
        Assert.Equal(served.Content[..512], late.Data);
    }

    [Fact]
    public async Task DisconnectFinishesWhatIsInFlight()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1");
        var gate = new TaskCompletionSource();
        served.Images.Faults.Reading = (_, _) => new ValueTask(gate.Task);
        await probe.RequestAsync(Command.Read, 0, 4096);
        await probe.RequestAsync(Command.Disconnect, 0, 0);
        gate.SetResult();
        Assert.Equal(served.Content[..4096], (await probe.ReceiveReplyAsync(4096, 0)).Data);
        Assert.True(await probe.IsClosedAsync());
        served.Images.Faults.Reading = null;
    }
}
