using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Operations.Cleanup;

/// <summary>What was stored while the clock was ahead counts as of now once the clock is right.</summary>
public sealed class ClockAheadTests : IAsyncLifetime
{
    private static readonly TimeSpan Ahead = TimeSpan.FromDays(3650);

    private readonly StoreFixture _store = new();

    public async Task InitializeAsync()
    {
        _store.Images.Set("disk", [1, 2, 3]);
        _store.Images.Set("other", [4, 5, 6]);
        await _store.BackupAsync("other");
        await _store.RemoveAsync((await _store.BackupAsync("disk")).Version.Name);
        Assert.Equal(2, Blocks);
    }

    public async Task DisposeAsync() => await _store.DisposeAsync();

    private int Blocks => _store.Objects("blocks").Count;

    [Fact]
    public async Task WhatACleanupFoundThenGoesAtOnceWithoutAGracePeriod()
    {
        await WhileAheadAsync(() => CleanUpAsync());
        await _store.CleanupAsync();
        Assert.Equal(1, Blocks);
    }

    [Fact]
    public async Task WhatACleanupFoundThenWaitsOneGracePeriodFromNow()
    {
        await WhileAheadAsync(() => CleanUpAsync());
        await CleanUpAsync();
        _store.Clock.Advance(TimeSpan.FromMinutes(30));
        await CleanUpAsync();
        Assert.Equal(2, Blocks);
        _store.Clock.Advance(TimeSpan.FromMinutes(31));
        await CleanUpAsync();
        Assert.Equal(1, Blocks);
    }

    [Fact]
    public async Task AnObjectOfThenWithoutARowWaitsOneGracePeriodFromNow()
    {
        await _store.CleanupAsync();
        var sound = Path.Combine(_store.StoragePath, _store.Objects("blocks").Single());
        var name = string.Concat(Path.GetFileName(sound).Reverse());
        var stray = Path.Combine(_store.StoragePath, "blocks", name[..2], name[2..4], name);
        Directory.CreateDirectory(Path.GetDirectoryName(stray)!);
        File.Copy(sound, stray);
        File.SetLastWriteTimeUtc(stray, (_store.Clock.GetUtcNow() + Ahead).UtcDateTime);

        Assert.Equal(1, (await CleanUpAsync()).OrphansFound);
        _store.Clock.Advance(TimeSpan.FromMinutes(61));
        await CleanUpAsync();
        Assert.Equal(1, Blocks);
    }

    [Fact]
    public async Task AVersionOfThenHasNoNegativeAge()
    {
        await WhileAheadAsync(() => _store.BackupAsync("disk", request => request with { Version = "ahead" }));
        var refusal = await Assert.ThrowsAsync<NotAllowedException>(async () => await (await _store.StoreAsync())
            .RemoveAsync(new RemoveRequest { Versions = ["disk/ahead"] }));
        Assert.Contains("is 0.0 days old", refusal.Message, StringComparison.Ordinal);
    }

    private async Task WhileAheadAsync<T>(Func<Task<T>> work)
    {
        _store.Clock.Advance(Ahead);
        await work();
        _store.Clock.Advance(-Ahead);
    }

    private async Task<CleanupResult> CleanUpAsync() =>
        await (await _store.StoreAsync()).CleanupAsync(new CleanupRequest(), NoProgress.Instance);
}
