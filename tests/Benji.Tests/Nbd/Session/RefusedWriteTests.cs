using Benji.Nbd;
using Benji.Nbd.Protocol;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Nbd.Session;

/// <summary>A throw-away overlay becomes a version by itself only when its client got everything that it asked for.</summary>
public sealed class RefusedWriteTests
{
    private const ulong Beyond = ServedImages.Size;

    public static TheoryData<int> Refusals => new(Enumerable.Range(0, Requests.Length));

    // What a client may have been refused, and whether for a full disk or for what it asked.
    private static readonly (Command Command, ulong Offset, CommandFlags Flags, bool IsFull)[] Requests =
    [
        (Command.Write, 0, CommandFlags.None, true),
        (Command.Write, 4096, CommandFlags.Fua, true),
        (Command.Trim, 0, CommandFlags.None, true),
        (Command.WriteZeroes, 0, CommandFlags.NoHole, true),
        (Command.Flush, 0, CommandFlags.None, true),
        (Command.Write, Beyond, CommandFlags.None, false),
        (Command.Trim, Beyond, CommandFlags.None, false),
        (Command.WriteZeroes, Beyond, CommandFlags.None, false),
        (Command.Write, 0, CommandFlags.FastZero, false),
    ];

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task AnOverlayWhoseClientWasRefusedIsKeptWithAWarning(int refusal)
    {
        var (command, offset, flags, isFull) = Requests[refusal];
        await using var served = await StartAsync();
        await using (var probe = await served.OpenAsync("vm1/v1"))
        {
            Assert.Equal(NbdError.None, (await probe.WriteAsync(0, [1])).Error);
            served.Images.Faults.IsFull = isFull;
            Assert.NotEqual(NbdError.None, (await CallAsync(probe, command, offset, flags)).Error);
            served.Images.Faults.IsFull = false;

            // That all is well afterwards does not bring back what was refused.
            Assert.Equal(NbdError.None, (await probe.WriteAsync(0, [2])).Error);
            Assert.Equal(NbdError.None, (await probe.CallAsync(Command.Flush, 0, 0)).Error);
            await probe.RequestAsync(Command.Disconnect, 0, 0);
        }

        await EndAsync(served);
        var entries = await served.Images.ListAsync("vm1", CancellationToken.None);
        Assert.Single(entries, entry => entry.Overlay is null);
        var kept = Assert.Single(entries, entry => entry.Overlay is not null);
        Assert.Equal(2, served.Images.ContentOf(kept.Name)[0]);
        var warning = Assert.Single(served.Log.Lines, line => line.Contains("is kept", StringComparison.Ordinal));
        Assert.StartsWith("Warning", warning, StringComparison.Ordinal);
        Assert.Contains($"{command} at {offset} of client", warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AReadThatFailedLeavesNothingOut()
    {
        await using var served = await StartAsync();
        await using (var probe = await served.OpenAsync("vm1/v1"))
        {
            Assert.Equal(NbdError.None, (await probe.WriteAsync(0, [1])).Error);
            Assert.Equal(NbdError.Invalid, (await probe.CallAsync(Command.Read, Beyond, 1)).Error);
            await probe.RequestAsync(Command.Disconnect, 0, 0);
        }

        await EndAsync(served);
        Assert.Equal(2, (await served.Images.ListAsync("vm1", CancellationToken.None)).Count(entry => entry.Overlay is null));
    }

    [Fact]
    public async Task AWriteThatWasRefusedBeforeThereWasAnOverlayCountsToo()
    {
        await using var served = await StartAsync();
        await using (var probe = await served.OpenAsync("vm1/v1"))
        {
            Assert.Equal(NbdError.NoSpace, (await probe.WriteAsync(Beyond, [1])).Error);
            Assert.Equal(NbdError.None, (await probe.WriteAsync(0, [1])).Error);
            await probe.RequestAsync(Command.Disconnect, 0, 0);
        }

        await EndAsync(served);
        Assert.Single(await served.Images.ListAsync("vm1", CancellationToken.None), entry => entry.Overlay is not null);
    }

    [Fact]
    public Task OnlyWhatWasAnsweredWithoutAnErrorIsPromoted() => Seeded.RunAsync(async random =>
    {
        Command[] commands = [Command.Read, Command.Write, Command.Trim, Command.WriteZeroes, Command.Flush, Command.Cache];
        for (var round = 0; round < 30; round++)
        {
            await using var served = await StartAsync();
            var (hasChanged, wasRefused) = (false, false);
            await using (var probe = await served.OpenAsync("vm1/v1", isStructured: random.Next(2) == 0))
            {
                for (var step = random.Next(1, 12); step > 0; step--)
                {
                    var command = commands[random.Next(commands.Length)];
                    served.Images.Faults.IsFull = random.Next(20) == 0;
                    var offset = (ulong)random.Next(ServedImages.Size + (random.Next(10) == 0 ? 10_000 : -10_000));
                    var reply = await CallAsync(probe, command, command == Command.Flush ? 0 : offset, CommandFlags.None);
                    var isChange = command is Command.Write or Command.Trim or Command.WriteZeroes;
                    hasChanged |= isChange && (reply.Error == NbdError.None || offset < ServedImages.Size - 100);
                    wasRefused |= (isChange || command == Command.Flush) && reply.Error != NbdError.None;
                }

                served.Images.Faults.IsFull = false;
                await probe.RequestAsync(Command.Disconnect, 0, 0);
            }

            await EndAsync(served);
            var versions = (await served.Images.ListAsync("vm1", CancellationToken.None)).Count(entry => entry.Overlay is null);
            Assert.Equal(hasChanged && !wasRefused ? 2 : 1, versions);
            Assert.Equal(
                hasChanged && wasRefused, served.Log.Lines.Any(line => line.Contains("is kept", StringComparison.Ordinal)));
        }
    });

    private static Task<ServedImages> StartAsync() =>
        ServedImages.StartAsync(options => options with { Writable = WritableVersions.Promote });

    private static Task<ProbeReply> CallAsync(NbdProbe probe, Command command, ulong offset, CommandFlags flags) =>
        command switch
        {
            Command.Write => probe.WriteAsync(offset, new byte[100], flags),
            Command.Flush => probe.CallAsync(command, 0, 0, flags),
            _ => probe.CallAsync(command, offset, 100, flags),
        };

    private static Task EndAsync(ServedImages served) =>
        ServedImages.UntilAsync(() => served.Server.Counters.Open == 0, "the end of the connection");
}
