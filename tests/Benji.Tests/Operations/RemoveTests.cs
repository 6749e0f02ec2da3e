using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Operations;

public sealed class RemoveTests
{
    private const int Frame = BlockGeometry.FrameSize;

    [Fact]
    public async Task AYoungVersionIsRemovedByForceOnly()
    {
        await using var store = await NewAsync();
        var version = (await store.BackupAsync("disk")).Version;
        await Assert.ThrowsAsync<NotAllowedException>(() => RemoveAsync(store, version, force: false));
        await RemoveAsync(store, version, force: true);
        Assert.Empty(await (await store.StoreAsync()).ListAsync(null));
    }

    [Fact]
    public async Task AVersionOfSixDaysIsRemoved()
    {
        await using var store = await NewAsync();
        var version = (await store.BackupAsync("disk")).Version;
        store.Clock.Advance(TimeSpan.FromDays(6));
        await RemoveAsync(store, version, force: false);
        Assert.Empty(store.Objects("versions"));
    }

    [Fact]
    public async Task AProtectedVersionIsNeverRemoved()
    {
        await using var store = await NewAsync();
        var version = (await store.BackupAsync("disk")).Version;
        await (await store.StoreAsync()).ProtectAsync(version.Name.ToString(), isProtected: true);
        await Assert.ThrowsAsync<NotAllowedException>(() => RemoveAsync(store, version, force: true));
        await (await store.StoreAsync()).ProtectAsync(version.Name.ToString(), isProtected: false);
        await RemoveAsync(store, version, force: true);
    }

    [Fact]
    public async Task OneForbiddenVersionKeepsAllOfThem()
    {
        await using var store = await NewAsync();
        var first = (await store.BackupAsync("disk")).Version;
        var second = (await store.BackupAsync("disk")).Version;
        await (await store.StoreAsync()).ProtectAsync(second.Name.ToString(), isProtected: true);
        await Assert.ThrowsAsync<NotAllowedException>(async () => await (await store.StoreAsync()).RemoveAsync(
            new RemoveRequest { Versions = [first.Name.ToString(), second.Name.ToString()], Force = true }));
        Assert.Equal(2, (await (await store.StoreAsync()).ListAsync(null)).Count);
    }

    [Fact]
    public async Task AVersionUnderRestoreIsNotRemoved()
    {
        await using var store = await NewAsync();
        var version = (await store.BackupAsync("disk")).Version;
        var opened = await store.StoreAsync();
        var progress = new BlockingProgress();
        var restore = Task.Run(() => opened.RestoreAsync(
            new RestoreRequest { Version = version.Name.ToString(), Target = "target" }, progress));
        await progress.Reached;
        var refusal = await Assert.ThrowsAsync<InUseException>(() => RemoveAsync(store, version, force: true));
        Assert.Contains("restore of disk/", refusal.Message, StringComparison.Ordinal);
        progress.Resume();
        await restore;
        await RemoveAsync(store, version, force: true);
    }

    [Fact]
    public async Task CleanupKeepsWhatOtherVersionsNeedAndWaitsOutTheGracePeriod()
    {
        await using var store = await NewAsync();
        var first = await store.BackupAsync("disk");
        var content = store.Images["disk"].Content;
        content[0] ^= 1;
        var second = await store.BackupAsync("disk");
        await store.RemoveAsync(first.Version.Name);
        var opened = await store.StoreAsync();
        var waiting = await opened.CleanupAsync(new CleanupRequest(), NoProgress.Instance);
        Assert.Equal(0, waiting.ObjectsDeleted);
        Assert.True(waiting.ObjectsWaiting > 0);
        store.Clock.Advance(TimeSpan.FromMinutes(61));
        Assert.True((await opened.CleanupAsync(new CleanupRequest(), NoProgress.Instance)).ObjectsDeleted > 0);
        await FourChecks.RunAsync(store, new Dictionary<VersionName, byte[]> { [second.Version.Name] = content });
    }

    [Fact]
    public async Task AnEmptyStoreIsCleanedToItsLastObject()
    {
        await using var store = await NewAsync();
        await store.RemoveAsync((await store.BackupAsync("disk")).Version.Name);
        await store.CleanupAsync();
        store.Clock.Advance(TimeSpan.FromSeconds(1));
        await store.CleanupAsync();
        Assert.Equal(["store.json"], store.Objects().Where(name => !name.StartsWith("marks/", StringComparison.Ordinal)));
    }

    private static async Task RemoveAsync(StoreFixture store, VersionRecord version, bool force) =>
        await (await store.StoreAsync()).RemoveAsync(
            new RemoveRequest { Versions = [version.Name.ToString()], Force = force });

    private static Task<StoreFixture> NewAsync()
    {
        var store = new StoreFixture();
        store.Images.Set("disk", RandomNumberGenerator.GetBytes(20 * Frame));
        return Task.FromResult(store);
    }

    /// <summary>Holds the operation at its first advance until the test lets it go.</summary>
    private sealed class BlockingProgress : IOperationProgress
    {
        private readonly TaskCompletionSource _reached = new();
        private readonly ManualResetEventSlim _resume = new();

        public Task Reached => _reached.Task;

        public void Resume() => _resume.Set();

        public void StartStage(string name, long? total, ProgressUnit unit)
        {
        }

        public void Advance(long units)
        {
            _reached.TrySetResult();
            _resume.Wait();
        }
    }
}
