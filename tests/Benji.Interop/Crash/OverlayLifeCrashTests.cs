using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Interop.Crash;

/// <summary>Kills real processes at every numbered point of an overlay's creation, promotion and discard: each is finished or
/// undone by the next command, and loses nothing.</summary>
public sealed class OverlayLifeCrashTests : IAsyncLifetime
{
    private const int Frame = BlockGeometry.FrameSize;
    private const int RunsAtOnce = 2;

    private readonly StoreFixture _template = new();
    private readonly VersionName _promoted = new("disk", "promoted");
    private byte[] _content = [];
    private byte[] _changed = [];
    private VersionName _base = null!;

    public async Task InitializeAsync()
    {
        _content = RandomNumberGenerator.GetBytes((20 * Frame) + 100);
        _template.Images.Set("disk", [.. _content]);
        _base = (await _template.BackupAsync("disk", request => request with { Version = "v1" })).Version.Name;
        var overlay = await _template.CreateOverlayAsync(_base);
        _changed = [.. _content];
        RandomNumberGenerator.Fill(_changed.AsSpan((3 * Frame) + 5000, 9000));
        _changed.AsSpan(8 * Frame, 4 * Frame).Clear();
        await _template.ChangeOverlayAsync(overlay, async image =>
        {
            await image.WriteAsync((3 * Frame) + 5000, _changed.AsMemory((3 * Frame) + 5000, 9000), CancellationToken.None);
            await image.ZeroAsync(8 * Frame, 4 * Frame, mayFreeSpace: true, CancellationToken.None);
        });
        await _template.CloseAsync();
    }

    public async Task DisposeAsync() => await _template.DisposeAsync();

    [Fact]
    public Task ACreationKilledAnywhereLeavesAWholeOverlayOrNone() => KillEverywhereAsync(
        ["create", "disk/v1", "new"],
        async store =>
        {
            var overlays = await store.ListOverlaysAsync();
            Assert.All(overlays, entry => Assert.Contains(entry.Overlay!.Name, (string[])["fix", "new"]));
            Assert.Equal(overlays.Count, store.OverlayFiles().Count);
            await CheckOverlayAsync(store, "fix", _changed);
            if (overlays.Count == 1)
            {
                await store.CreateOverlayAsync(_base, "new");
            }

            await CheckOverlayAsync(store, "new", _content);
            await FourChecks.RunAsync(store, new Dictionary<VersionName, byte[]> { [_base] = _content });
        });

    [Fact]
    public Task ADiscardKilledAnywhereLeavesTheWholeOverlayOrNone() => KillEverywhereAsync(
        ["discard", "disk/v1@fix"],
        async store =>
        {
            var overlays = await store.ListOverlaysAsync();
            if (overlays.Count > 0)
            {
                await CheckOverlayAsync(store, "fix", _changed);
                await store.RemoveOverlayAsync(overlays[0], force: true);
            }

            Assert.Empty(store.OverlayFiles());
            await FourChecks.RunAsync(store, new Dictionary<VersionName, byte[]> { [_base] = _content });
        });

    [Fact]
    public Task APromotionKilledAnywhereIsFinishedOrUndone() => KillEverywhereAsync(
        ["promote", "disk/v1@fix", "promoted"],
        async store =>
        {
            var overlays = await store.ListOverlaysAsync();
            var versions = await (await store.StoreAsync()).ListAsync(null);
            Assert.Equal(2, versions.Count + overlays.Count);
            if (overlays.Count > 0)
            {
                await CheckOverlayAsync(store, "fix", _changed);
                await store.PromoteAsync(overlays[0], "promoted");
            }

            Assert.Empty(await store.ListOverlaysAsync());
            Assert.Empty(store.OverlayFiles());
            await FourChecks.RunAsync(
                store, new Dictionary<VersionName, byte[]> { [_base] = _content, [_promoted] = _changed });
        });

    [Fact]
    public Task AKilledHoldersClaimEndsAtOnceAndItsOverlayIsWhole() => KillEverywhereAsync(
        ["write", "disk/v1@fix", "70000", "written"],
        async store =>
        {
            var written = _changed.ToArray();
            Encoding.ASCII.GetBytes("written").CopyTo(written, 70000);
            await store.ChangeOverlayAsync(
                Assert.Single(await store.ListOverlaysAsync()),
                async image => Assert.Contains(await image.ReadAllAsync(), new[] { _changed, written }));
            var promoted = (await store.PromoteAsync(Assert.Single(await store.ListOverlaysAsync()))).Version;
            Assert.Contains(await store.RestoreAsync(promoted.Name), new[] { _changed, written });
        });

    private static async Task CheckOverlayAsync(StoreFixture store, string name, byte[] expected)
    {
        ImageEntry overlay = (await store.ListOverlaysAsync()).Single(entry => entry.Overlay!.Name == name);
        await store.ChangeOverlayAsync(overlay, async image => Assert.Equal(expected, await image.ReadAllAsync()));
    }

    private async Task KillEverywhereAsync(string[] operation, Func<StoreFixture, Task> check)
    {
        var points = await RunAsync(operation, killAt: 0, check);
        Assert.True(points > 0, "The host passed no point.");
        await Parallel.ForEachAsync(
            Enumerable.Range(1, points),
            new ParallelOptions { MaxDegreeOfParallelism = RunsAtOnce },
            async (point, _) => await RunAsync(operation, point, check));
    }

    private async Task<int> RunAsync(string[] operation, int killAt, Func<StoreFixture, Task> check)
    {
        await using var store = new StoreFixture();
        await HostProcess.CopyAsync(_template.DirectoryPath, store.DirectoryPath);
        var (exitCode, output) = await HostProcess.RunAsync(
            [store.DirectoryPath, killAt.ToString(CultureInfo.InvariantCulture), .. operation], killAfter: null);
        Assert.True(exitCode == (killAt > 0 ? 137 : 0), output);
        try
        {
            await check(store);
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"{operation[0]} killed at point {killAt}: {failure.Message}", failure);
        }

        return killAt > 0 ? 0 : int.Parse(output.Trim(), CultureInfo.InvariantCulture);
    }
}
