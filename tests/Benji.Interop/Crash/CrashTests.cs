using System.Globalization;
using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Testing;
using Xunit;

namespace Benji.Interop.Crash;

/// <summary>Kills real processes at every numbered point and at random moments of each operation, then runs the four checks.</summary>
public sealed class CrashTests : IAsyncLifetime
{
    private const int Frame = BlockGeometry.FrameSize;
    private const int RandomKills = 8;

    private readonly StoreFixture _template = new();
    private readonly Dictionary<VersionName, byte[]> _versions = [];
    private byte[] _changed = [];

    public async Task InitializeAsync()
    {
        var content = RandomNumberGenerator.GetBytes(40 * Frame);
        content.AsSpan(10 * Frame, 9 * Frame).Clear();
        _template.Images.Set("disk", [.. content]);
        var gone = await _template.BackupAsync("disk", request => request with { Version = "gone" });
        foreach (var name in new[] { "one", "two" })
        {
            content = [.. content];
            RandomNumberGenerator.Fill(content.AsSpan(3 * Frame, 100));
            RandomNumberGenerator.Fill(content.AsSpan(RandomNumberGenerator.GetInt32(30) * Frame, 5 * Frame));
            _template.Images.Set("disk", [.. content]);
            var result = await _template.BackupAsync("disk", request => request with { Version = name });
            _versions.Add(result.Version.Name, content);
        }

        await _template.RemoveAsync(gone.Version.Name);
        _changed = [.. content];
        RandomNumberGenerator.Fill(_changed.AsSpan(20 * Frame, 6 * Frame));
        await File.WriteAllBytesAsync(_template["changed.img"], _changed);
        await _template.CloseAsync();
    }

    public async Task DisposeAsync() => await _template.DisposeAsync();

    [Fact]
    public Task ABackupKilledAnywhereLosesNothing() => KillEverywhereAsync(
        "backup", store => [store["changed.img"], "disk", "new"], (new VersionName("disk", "new"), _changed));

    [Fact]
    public Task ARemovalKilledAnywhereLosesNothingElse() => KillEverywhereAsync(
        "remove", _ => ["disk/one"], (new VersionName("disk", "one"), _versions[new VersionName("disk", "one")]));

    [Fact]
    public Task ACleanupKilledAnywhereLosesNothing() => KillEverywhereAsync("cleanup", _ => [], null);

    [Fact]
    public Task ARebuildKilledAnywhereLosesNothing() => KillEverywhereAsync("rebuild", _ => [], null);

    // Either outcome of the interrupted step is right; nothing between them is.
    private async Task KillEverywhereAsync(
        string operation, Func<StoreFixture, string[]> arguments, (VersionName Name, byte[] Content)? uncertain)
    {
        var points = await RunAsync(operation, arguments, killAt: 0, uncertain, killAfter: null);
        Assert.True(points > 0, "The host passed no point.");
        for (var point = 1; point <= points; point++)
        {
            await RunAsync(operation, arguments, point, uncertain, killAfter: null);
        }

        for (var kill = 0; kill < RandomKills; kill++)
        {
            var after = TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(60, 500));
            await RunAsync(operation, arguments, killAt: 0, uncertain, after);
        }
    }

    private async Task<int> RunAsync(
        string operation,
        Func<StoreFixture, string[]> arguments,
        int killAt,
        (VersionName Name, byte[] Content)? uncertain,
        TimeSpan? killAfter)
    {
        await using var store = new StoreFixture();
        await HostProcess.CopyAsync(_template.DirectoryPath, store.DirectoryPath);
        var (exitCode, output) = await HostProcess.RunAsync(
            [store.DirectoryPath, killAt.ToString(CultureInfo.InvariantCulture), operation, .. arguments(store)], killAfter);
        if (killAt > 0 && killAfter is null)
        {
            Assert.Equal(137, exitCode);
        }
        else if (killAfter is null)
        {
            Assert.True(exitCode == 0, output);
        }

        var expected = new Dictionary<VersionName, byte[]>(_versions);
        if (uncertain is { } version)
        {
            var listed = await (await store.StoreAsync()).ListAsync(null);
            expected.Remove(version.Name);
            if (listed.Any(found => found.Name == version.Name))
            {
                expected.Add(version.Name, version.Content);
            }
        }

        try
        {
            await FourChecks.RunAsync(store, expected);
        }
        catch (InvalidOperationException failure)
        {
            Assert.Fail($"{operation} killed at point {killAt} or after {killAfter}: {failure.Message}");
        }

        return exitCode == 0 ? int.Parse(output.Trim(), CultureInfo.InvariantCulture) : 0;
    }
}
