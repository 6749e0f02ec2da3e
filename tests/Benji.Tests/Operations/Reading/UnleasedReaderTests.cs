using Benji.Cli;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Serving;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Operations.Reading;

/// <summary>Readers without a lease beside removals and cleanups, on this host and on another one.</summary>
public sealed class UnleasedReaderTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task WhatIsReadOnThisHostStaysUntilTheReadersEnd()
    {
        await using var world = await ReadOnlyWorld.MakeAsync();
        await using (var store = await world.OpenHereAsync())
        await using (var image = await world.OpenImageAsync(store))
        {
            var result = await world.RemoveAndCleanUpAsync();

            Assert.True(result.IsHeldBack);
            Assert.Equal(0, result.ObjectsDeleted);
            Assert.NotEqual(0, result.ObjectsWaiting);
            Assert.Equal(world.Content, await image.ReadAllAsync());
        }

        var after = await world.Store.CleanupAsync();
        Assert.False(after.IsHeldBack);
        Assert.Empty(world.Store.Objects("blocks"));
    }

    /// <summary>Also what nothing may need: who reads is not known to be one who does not read that.</summary>
    [Fact]
    public async Task AReaderHoldsBackWhatItDoesNotReadToo()
    {
        await using var world = await ReadOnlyWorld.MakeAsync();
        world.Store.Images.Set("other", [.. world.Content.Reverse()]);
        var other = (await world.Store.BackupAsync("other")).Version.Name;
        await using (await world.OpenHereAsync())
        {
            await world.Store.RemoveAsync(other);
            Assert.True((await world.Store.CleanupAsync()).IsHeldBack);
            Assert.Equal(12, world.Store.Objects("blocks").Count);
        }

        await world.Store.CleanupAsync();
        Assert.Equal(6, world.Store.Objects("blocks").Count);
        Assert.Equal(world.Content, await world.Store.RestoreAsync(world.Version));
    }

    [Fact]
    public async Task ARestoreOnAnotherHostEndsWhenItsVersionIsGone()
    {
        await using var world = await ReadOnlyWorld.MakeAsync();
        var (clock, gate, read) = (new HeldClock(), new TaskCompletionSource(), new TaskCompletionSource());
        await using var store = await world.OpenElsewhereAsync(clock, call =>
        {
            if (call.Kind == StorageCallKind.Read && call.Name.StartsWith("blocks/", StringComparison.Ordinal))
            {
                read.TrySetResult();
                return new Fault { Gate = gate.Task };
            }

            return null;
        });
        var restore = world.RestoreAsync(store);
        await read.Task.WaitAsync(Patience);
        Assert.False((await world.RemoveAndCleanUpAsync()).IsHeldBack);
        var gone = WhenWarnedAsync(world, "was removed while it is read");

        clock.Release();
        await gone.WaitAsync(Patience);
        gate.SetResult();

        var failure = await Assert.ThrowsAsync<InUseException>(() => restore);
        Assert.Equal(ExitCodes.InUse, ExitCodes.Of(failure, isStopped: false));
        Assert.Contains(world.Version.ToString(), failure.Message, StringComparison.Ordinal);
    }

    /// <summary>The look comes too late here: what is missing is not called damage all the same.</summary>
    [Theory]
    [InlineData("restore")]
    [InlineData("scrub")]
    [InlineData("deep-scrub")]
    public async Task WhatWasDeletedUnderAReaderOnAnotherHostIsNoDamage(string command)
    {
        await using var world = await ReadOnlyWorld.MakeAsync();
        var (gate, begun) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var store = await world.OpenElsewhereAsync(new HeldClock(), call =>
        {
            if (!call.Name.StartsWith("blocks/", StringComparison.Ordinal))
            {
                return null;
            }

            begun.TrySetResult();
            return new Fault { Gate = gate.Task };
        });
        Task reading = command == "restore"
            ? world.RestoreAsync(store)
            : world.ScrubAsync(store, isDeep: command == "deep-scrub");
        await begun.Task.WaitAsync(Patience);
        await world.RemoveAndCleanUpAsync();
        Assert.Empty(world.Store.Objects("blocks"));

        gate.SetResult();

        await Assert.ThrowsAsync<InUseException>(() => reading);
    }

    [Fact]
    public async Task AnImageOnAnotherHostFailsWhenItsVersionIsGone()
    {
        await using var world = await ReadOnlyWorld.MakeAsync();
        var clock = new HeldClock();
        await using var store = await world.OpenElsewhereAsync(clock);
        await using var image = await world.OpenImageAsync(store);
        Assert.Equal(world.Content, await image.ReadAllAsync());
        await world.RemoveAndCleanUpAsync();
        var gone = WhenWarnedAsync(world, "was removed while it is read");

        clock.Release();
        await gone.WaitAsync(Patience);

        var failure = await Assert.ThrowsAsync<StorageException>(() => image.ReadAllAsync());
        Assert.Contains("was removed", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AReaderOnAnotherHostLooksAgainAndAgainAndGoesOnWhileItsVersionIsThere()
    {
        await using var world = await ReadOnlyWorld.MakeAsync();
        var clock = new CountingClock();
        await using var store = await world.OpenElsewhereAsync(clock);
        await using var image = await world.OpenImageAsync(store);
        for (var look = 1; look <= 3; look++)
        {
            await clock.WhenWaitingAsync(look).WaitAsync(Patience);
            Assert.Equal(TimeSpan.FromMinutes(5), clock.LastWait);
            clock.Release();
        }

        await clock.WhenWaitingAsync(4).WaitAsync(Patience);
        Assert.Equal(world.Content, await image.ReadAllAsync());
        Assert.Empty(world.Log.Warnings);
    }

    private static Task WhenWarnedAsync(ReadOnlyWorld world, string text) =>
        world.Log.WhenWarnedAsync(warning => warning.Contains(text, StringComparison.Ordinal));

    // Tells how often somebody waited for five minutes; each wait ends when it is let go.
    private sealed class CountingClock : TimeProvider
    {
        private readonly HeldClock _held = new();
        private readonly Lock _waitsLock = new();
        private readonly List<TaskCompletionSource> _waits = [];

        public TimeSpan LastWait { get; private set; }

        public Task WhenWaitingAsync(int number)
        {
            lock (_waitsLock)
            {
                return At(number).Task;
            }
        }

        public void Release() => _held.Release();

        public override DateTimeOffset GetUtcNow() => _held.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = _held.CreateTimer(callback, state, dueTime, period);
            if (dueTime == TimeSpan.FromMinutes(5))
            {
                lock (_waitsLock)
                {
                    LastWait = dueTime;
                    At(1 + _waits.Count(wait => wait.Task.IsCompleted)).SetResult();
                }
            }

            return timer;
        }

        private TaskCompletionSource At(int number)
        {
            while (_waits.Count < number)
            {
                _waits.Add(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            }

            return _waits[number - 1];
        }
    }
}
