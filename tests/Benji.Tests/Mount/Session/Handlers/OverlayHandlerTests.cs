using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Mount.Session.Handlers;

/// <summary>Overlays that are made and removed, also for a kernel that asks a new server once more.</summary>
public sealed class OverlayHandlerTests : IAsyncLifetime
{
    private const uint Exclusive = 0x80;

    private readonly ByteImages _images = new();
    private ServedImages _served = null!;
    private ulong _directory;
    private ulong _unique = 1_000_000;

    public async Task InitializeAsync()
    {
        await _images.CreateOverlayAsync(_images.Add("vm/one", new byte[100]), "fix", CancellationToken.None);
        _served = await ServedImages.StartAsync(_images);
        _directory = (await _served.FindAsync("vm")).Node;
    }

    public async Task DisposeAsync() => await _served.DisposeAsync();

    [Fact]
    public async Task WhoMustMakeAnOverlayDoesNotGetOneThatIsThere()
    {
        Assert.Equal(Errno.Exists, await CreateAsync("one@fix.img", Exclusive, isResent: false));
        Assert.Equal(Errno.None, await CreateAsync("one@fix.img", flags: 0, isResent: false));
        Assert.Equal(Errno.None, await CreateAsync("one@new.img", Exclusive, isResent: false));
    }

    /// <summary>The former server may have made it and ended before it answered.</summary>
    [Fact]
    public async Task ACreationThatIsSentAgainFindsWhatItMade() =>
        Assert.Equal(Errno.None, await CreateAsync("one@fix.img", Exclusive, isResent: true));

    [Fact]
    public async Task ARemovalThatIsSentAgainMayHaveBeenDone()
    {
        Assert.Equal(Errno.None, await UnlinkAsync("one@fix.img", isResent: true));
        Assert.Equal(Errno.None, await UnlinkAsync("one@fix.img", isResent: true));
        Assert.Equal(Errno.NotFound, await UnlinkAsync("one@fix.img", isResent: false));
    }

    [Fact]
    public async Task AnOverlayThatAnotherProcessHasOpenStays()
    {
        var entry = await _images.FindAsync("vm/one@fix", CancellationToken.None);
        await using (await _images.OpenOverlayAsync(entry!, CancellationToken.None))
        {
            Assert.Equal(Errno.Busy, await UnlinkAsync("one@fix.img", isResent: false));
            Assert.NotEqual(0UL, (await _served.FindAsync("vm/one@fix.img")).Node);
        }

        Assert.Equal(Errno.None, await UnlinkAsync("one@fix.img", isResent: false));
        Assert.Equal(0UL, (await _served.FindAsync("vm/one@fix.img")).Node);
    }

    /// <summary>The kernel tells of a close when the client has gone on: the removal may come while the disk is written.</summary>
    [Fact]
    public async Task AnOverlayThatIsBeingClosedIsRemovedAfterwards()
    {
        var (begun, go) = (NewSignal(), NewSignal());
        _images.Faults.Closing = _ =>
        {
            begun.SetResult();
            return go.Task;
        };
        var node = await _served.OpenAsync("vm/one@fix.img", flags: 2);
        var release = _served.ErrorAsync(Opcode.Release, node, new byte[24]);
        await begun.Task;

        var removal = UnlinkAsync("one@fix.img", isResent: false);

        Assert.NotEqual(0UL, (await _served.FindAsync("vm/one@fix.img")).Node);
        go.SetResult();
        Assert.Equal((Errno.None, Errno.None), (await removal, await release));
        Assert.Equal(0UL, (await _served.FindAsync("vm/one@fix.img")).Node);
    }

    /// <summary>A release may be under way that this server was not told of yet; one that never comes is waited for in vain.
    /// </summary>
    [Fact]
    public async Task AnOverlayThatIsOpenIsRefusedOnlyAfterAWaitForItsClose()
    {
        await _served.DisposeAsync();
        var clock = new SignallingClock();
        _served = await ServedImages.StartAsync(_images, clock: clock);
        await _served.OpenAsync("vm/one@fix.img", flags: 2);
        _directory = (await _served.FindAsync("vm")).Node;

        var removal = UnlinkAsync("one@fix.img", isResent: false);

        Assert.Same(clock.Waited, await Task.WhenAny(clock.Waited, removal));
        (await clock.Waited)();
        Assert.Equal(Errno.Busy, await removal);
        Assert.NotEqual(0UL, (await _served.FindAsync("vm/one@fix.img")).Node);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Task<int> CreateAsync(string name, uint flags, bool isResent) => AskAsync(
        Opcode.Create, isResent, FuseRequest.Of(new CreateRequest { Flags = 2 | flags }), ServedImages.Name(name));

    private Task<int> UnlinkAsync(string name, bool isResent) => AskAsync(Opcode.Unlink, isResent, ServedImages.Name(name));

    private async Task<int> AskAsync(Opcode opcode, bool isResent, params byte[][] body)
    {
        var unique = (_unique += 2) | (isResent ? RequestHeader.ResentBit : 0);
        return (await _served.Channel.AskAsync(FuseRequest.Numbered(unique, opcode, _directory, body))).Errno;
    }

    /// <summary>Tells of the first wait of two seconds, and lets the test end it.</summary>
    private sealed class SignallingClock : TimeProvider
    {
        private readonly TaskCompletionSource<Action> _waited = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<Action> Waited => _waited.Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime != TimeSpan.FromSeconds(2))
            {
                return base.CreateTimer(callback, state, dueTime, period);
            }

            _waited.TrySetResult(() => callback(state));
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, period);
        }
    }
}
