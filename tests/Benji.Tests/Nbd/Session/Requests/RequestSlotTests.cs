using Benji.Nbd;
using Benji.Nbd.Protocol;
using Benji.Nbd.Session.Exports;
using Benji.Nbd.Session.Requests;
using Benji.Store.Model;
using Benji.Testing.Serving;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Nbd.Session.Requests;

/// <summary>What a change is before it is answered: durable where that was asked for, and done as it was asked for.</summary>
public sealed class RequestSlotTests
{
    private const string Overlay = "vm1/v1@work";

    [Fact]
    public async Task AChangeWithFuaAndAFlushAreAnsweredWhenTheyAreDurable()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync(Overlay);
        var flushes = 0;
        served.Images.Faults.Flushing = () => Interlocked.Increment(ref flushes);
        foreach (var (command, flags, expected) in new[]
        {
            (Command.Write, CommandFlags.Fua, 1),
            (Command.Write, CommandFlags.None, 0),
            (Command.Trim, CommandFlags.Fua, 1),
            (Command.Trim, CommandFlags.None, 0),
            (Command.WriteZeroes, CommandFlags.Fua, 1),
            (Command.WriteZeroes, CommandFlags.Fua | CommandFlags.NoHole, 1),
            (Command.WriteZeroes, CommandFlags.None, 0),
            (Command.Read, CommandFlags.Fua, 0),
            (Command.Flush, CommandFlags.None, 1),
        })
        {
            flushes = 0;

            Assert.Equal(NbdError.None, (await AskAsync(probe, command, flags)).Error);

            Assert.Equal((command, flags, expected), (command, flags, flushes));
        }
    }

    [Fact]
    public async Task WhatCannotBeMadeDurableIsAnError()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync(Overlay);
        foreach (var (command, flags) in new[]
        {
            (Command.Write, CommandFlags.Fua), (Command.Trim, CommandFlags.Fua), (Command.WriteZeroes, CommandFlags.Fua),
            (Command.Flush, CommandFlags.None),
        })
        {
            served.Images.Faults.Flushing = () => throw new NoSpaceException("The disk is full, as told.");
            Assert.Equal(NbdError.NoSpace, (await AskAsync(probe, command, flags)).Error);
            served.Images.Faults.Flushing = null;
            Assert.Equal(NbdError.None, (await AskAsync(probe, command, flags)).Error);
        }
    }

    [Fact]
    public async Task ZerosGiveTheirSpaceBackUnlessTheyAreToKeepIt()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync(Overlay);
        var zeroings = new List<(long, long, bool)>();
        served.Images.Faults.Zeroing = (offset, length, mayFree) => zeroings.Add((offset, length, mayFree));
        foreach (var (command, flags, mayFreeSpace) in new[]
        {
            (Command.Trim, CommandFlags.None, true),
            (Command.WriteZeroes, CommandFlags.None, true),
            (Command.WriteZeroes, CommandFlags.FastZero, true),
            (Command.WriteZeroes, CommandFlags.NoHole, false),
            (Command.WriteZeroes, CommandFlags.NoHole | CommandFlags.Fua, false),
        })
        {
            zeroings.Clear();

            Assert.Equal(NbdError.None, (await AskAsync(probe, command, flags)).Error);

            Assert.Equal([(4096, 100, mayFreeSpace)], zeroings);
        }
    }

    /// <summary>Whoever rents from the pool next must not find it, and finds the memory of the last one.</summary>
    [Fact]
    public async Task TheDataOfAWriteIsClearedBeforeItsMemoryIsGivenBack()
    {
        const int length = 70_000;
        var images = new ByteImages();
        var image = await images.OpenVersionAsync(images.Add("vm1/v1", new byte[length]), CancellationToken.None);
        var export = new Export(images, image, [], WritableVersions.None, new ExportOwner("test", NullLogger.Instance));
        var pool = new BlockBufferPool(1 << 20);
        using var slot = new RequestSlot(export, pool, TimeProvider.System, _ => { });
        slot.Prepare(new RequestHeader(CommandFlags.None, Command.Write, 1, 0, length), held: length);
        slot.RentPayload().Fill(7);

        slot.Clear();

        Assert.True(pool.IdleBytes >= length);
        using var next = pool.Rent(length);
        Assert.Equal(0, pool.IdleBytes);
        Assert.DoesNotContain((byte)7, next.Memory.ToArray());
        await export.EndAsync(isClean: true);
    }

    /// <summary>A slot serves one request after another, and each has its own time.</summary>
    [Fact]
    public async Task ARequestAfterOneThatWasTooLateHasItsWholeTime()
    {
        var clock = new SteppedClock();
        await using var served = await ServedImages.StartAsync(options => options with { Clock = clock, RequestsMax = 1 });
        await using var probe = await served.OpenAsync(Overlay);
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        served.Images.Faults.Reading = async (_, end) =>
        {
            waiting.SetResult();
            await Task.Delay(Timeout.Infinite, end);
        };
        await probe.RequestAsync(Command.Read, 0, 4096);
        await waiting.Task;
        clock.Advance(RequestSlot.StoreTimeout);
        Assert.Equal(NbdError.InputOutput, (await probe.ReceiveReplyAsync(4096, 0)).Error);

        served.Images.Faults.Reading = (_, end) =>
        {
            clock.Advance(RequestSlot.StoreTimeout - TimeSpan.FromSeconds(1));
            end.ThrowIfCancellationRequested();
            return default;
        };
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(served.Content[..4096], (await probe.CallAsync(Command.Read, 0, 4096)).Data);
        }

        served.Images.Faults.Reading = null;
    }

    private static Task<ProbeReply> AskAsync(NbdProbe probe, Command command, CommandFlags flags) => command switch
    {
        Command.Write => probe.WriteAsync(4096, new byte[100], flags),
        Command.Flush => probe.CallAsync(command, 0, 0, flags),
        _ => probe.CallAsync(command, 4096, 100, flags),
    };
}
