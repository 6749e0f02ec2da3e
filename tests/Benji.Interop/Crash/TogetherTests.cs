using System.Globalization;
using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Testing;
using Xunit;

namespace Benji.Interop.Crash;

/// <summary>Runs what runs together every night, each in a process of its own: two backups, a deep scrub, a restore, a
/// removal and a cleanup.</summary>
public sealed class TogetherTests
{
    private const int Frame = BlockGeometry.FrameSize;
    private const int Rounds = 20;
    private const int VersionsKept = 3;

    [Fact]
    public async Task TwentyNightsLoseNothing()
    {
        await using var store = new StoreFixture();
        var disks = new Dictionary<string, byte[]>
        {
            ["one"] = RandomNumberGenerator.GetBytes(40 * Frame),
            ["two"] = RandomNumberGenerator.GetBytes((23 * Frame) + 99),
        };
        var expected = new Dictionary<VersionName, byte[]>();
        foreach (var (volume, content) in disks)
        {
            store.Images.Set(volume, [.. content]);
            var first = await store.BackupAsync(volume, request => request with { Version = "v0" });
            expected.Add(first.Version.Name, [.. content]);
        }

        await store.CloseAsync();
        for (var round = 1; round <= Rounds; round++)
        {
            await RunNightAsync(store, round, disks, expected);
        }

        await FourChecks.RunAsync(store, expected);
    }

    private static async Task RunNightAsync(
        StoreFixture store, int round, Dictionary<string, byte[]> disks, Dictionary<VersionName, byte[]> expected)
    {
        // Parts of one disk move to the other, so that each backup meets blocks of the other, some of them just removed.
        RandomNumberGenerator.Fill(disks["one"].AsSpan(RandomNumberGenerator.GetInt32(30) * Frame, 6 * Frame));
        disks["one"].AsSpan(4 * Frame, 8 * Frame).CopyTo(disks["two"].AsSpan(RandomNumberGenerator.GetInt32(4) * 4 * Frame));
        var read = expected.ElementAt(RandomNumberGenerator.GetInt32(expected.Count));
        var target = store[$"restored-{round}.img"];
        var scrubbed = expected.ElementAt(RandomNumberGenerator.GetInt32(expected.Count)).Key;
        List<string[]> work = [["scrub", $"{scrubbed}"], ["restore", $"{read.Key}", target], ["cleanup"]];
        foreach (var (volume, content) in disks)
        {
            await File.WriteAllBytesAsync(store[$"{volume}.img"], content);
            work.Add(["backup", store[$"{volume}.img"], volume, string.Create(CultureInfo.InvariantCulture, $"v{round}")]);
        }

        var ends = await Task.WhenAll(work.Select(
            async arguments => (arguments[0], await HostProcess.RunAsync([store.DirectoryPath, "0", .. arguments], null))));
        Assert.All(ends, end => Assert.True(end.Item2.ExitCode == 0, $"round {round}: {end.Item1}: {end.Item2.Output}"));
        Assert.Equal(read.Value, await File.ReadAllBytesAsync(target));
        File.Delete(target);
        foreach (var (volume, content) in disks)
        {
            expected.Add(new VersionName(volume, string.Create(CultureInfo.InvariantCulture, $"v{round}")), [.. content]);
        }

        await RemoveOldAsync(store, expected);
    }

    private static async Task RemoveOldAsync(StoreFixture store, Dictionary<VersionName, byte[]> expected)
    {
        foreach (var old in expected.Keys.GroupBy(name => name.Volume).SelectMany(names => names.SkipLast(VersionsKept)).ToList())
        {
            var (exitCode, output) = await HostProcess.RunAsync([store.DirectoryPath, "0", "remove", old.ToString()], null);
            Assert.True(exitCode == 0, output);
            expected.Remove(old);
        }
    }
}
