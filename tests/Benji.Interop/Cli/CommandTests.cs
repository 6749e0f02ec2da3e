using System.Text.Json;
using Xunit;

namespace Benji.Interop.Cli;

/// <summary>Every command as a user runs it, on a real image.</summary>
public sealed class CommandTests : IDisposable
{
    private const int ImageSize = 9 * 1024 * 1024 + 1234;

    private readonly BenjiProgram _benji = new();

    [Fact]
    public async Task ABackupPrintsTheNameOfItsVersion()
    {
        var image = _benji.WriteImage("disk.img", ImageSize, seed: 1);
        var backup = await _benji.RunAsync("backup", image, "vm/disk");
        Assert.Equal(0, backup.ExitCode);
        Assert.Matches(@"^vm/disk/\d{8}T\d{6}Z\n$", backup.Output);
        Assert.Contains("INFO: vm/disk/", backup.Error, StringComparison.Ordinal);
        Assert.Contains("stored ", backup.Error, StringComparison.Ordinal);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_benji.Home));
    }

    [Fact]
    public async Task ARestoreGivesBackWhatWasBackedUp()
    {
        var image = _benji.WriteImage("disk.img", ImageSize, seed: 2);
        await Succeed("backup", image, "vm", "-u", "first");
        await Succeed("restore", "vm/first", _benji["copy.img"]);
        AssertSame(image, _benji["copy.img"]);

        Assert.Equal(73, (await _benji.RunAsync("restore", "vm/first", _benji["copy.img"])).ExitCode);
        await Succeed("restore", "--force", "--sparse", "vm/latest", _benji["copy.img"]);
        AssertSame(image, _benji["copy.img"]);
    }

    [Fact]
    public async Task AnUnchangedImageStoresNothing()
    {
        var image = _benji.WriteImage("disk.img", ImageSize, seed: 3);
        await Succeed("backup", image, "vm", "-u", "a");
        var second = (await Succeed("backup", image, "vm", "-u", "b", "-m")).Json;
        Assert.Equal("vm/a", second.GetProperty("backup").GetProperty("base_version").GetString());
        Assert.Equal(0, second.GetProperty("backup").GetProperty("blocks_new").GetInt64());
        Assert.Equal(0, second.GetProperty("versions")[0].GetProperty("bytes_written").GetInt64());
        Assert.Equal(ImageSize, second.GetProperty("backup").GetProperty("bytes_unchanged").GetInt64());
    }

    [Fact]
    public async Task LsShowsVersionsWithLabelsAndStatistics()
    {
        var image = _benji.WriteImage("disk.img", 100_000, seed: 4);
        await Succeed("backup", image, "vm/a", "-u", "first", "-l", "site=berlin", "-l", "keep", "-s", "snap");
        await Succeed("backup", image, "vm/b", "-u", "first");
        var all = (await Succeed("ls", "-ls")).Output.TrimEnd('\n').Split('\n');
        Assert.Equal(3, all.Length);
        Assert.Contains("vm/a/first", all[1], StringComparison.Ordinal);
        Assert.EndsWith("keep,site=berlin", all[1], StringComparison.Ordinal);
        Assert.Equal(2, (await Succeed("ls", "vm/b")).Output.TrimEnd('\n').Split('\n').Length);

        var version = (await Succeed("ls", "vm/a", "--json")).Json.GetProperty("versions")[0];
        Assert.Equal("vm/a/first", version.GetProperty("uid").GetString());
        Assert.Equal("vm/a", version.GetProperty("volume").GetString());
        Assert.Equal("snap", version.GetProperty("snapshot").GetString());
        Assert.Equal(100_000, version.GetProperty("size").GetInt64());
        Assert.Equal("valid", version.GetProperty("status").GetString());
        Assert.Equal("berlin", version.GetProperty("labels").GetProperty("site").GetString());
        Assert.Equal(100_000, version.GetProperty("bytes_read").GetInt64());
    }

    [Fact]
    public async Task LabelsAreSetAndRemoved()
    {
        await Succeed("backup", _benji.WriteImage("disk.img", 1000, seed: 5), "vm", "-u", "a", "-l", "old=1");
        var labels = (await Succeed("label", "vm/a", "new=2", "old-", "-m"))
            .Json.GetProperty("versions")[0].GetProperty("labels");
        Assert.Equal("2", labels.GetProperty("new").GetString());
        Assert.False(labels.TryGetProperty("old", out _));
    }

    [Fact]
    public async Task ProtectedAndYoungVersionsAreNotRemoved()
    {
        var image = _benji.WriteImage("disk.img", 1000, seed: 6);
        await Succeed("backup", image, "vm", "-u", "a");
        await Succeed("protect", "vm/a");
        Assert.Equal(77, (await _benji.RunAsync("rm", "--force", "vm/a")).ExitCode);
        await Succeed("unprotect", "vm/a");
        Assert.Equal(77, (await _benji.RunAsync("rm", "vm/a")).ExitCode);
        var removed = (await Succeed("rm", "--force", "vm/a", "-m")).Json.GetProperty("versions");
        Assert.Equal("vm/a", removed[0].GetProperty("uid").GetString());
        Assert.Equal(66, (await _benji.RunAsync("rm", "--force", "vm/a")).ExitCode);
        var deleted = (await Succeed("cleanup", "--older-than", "0s", "-m")).Json;
        Assert.True(deleted.GetProperty("objects_deleted").GetInt64() > 0, deleted.ToString());
    }

    [Fact]
    public async Task ScrubsFindNothingInASoundStore()
    {
        var image = _benji.WriteImage("disk.img", ImageSize, seed: 7);
        await Succeed("backup", image, "vm", "-u", "a");
        await Succeed("scrub", "vm/a");
        await Succeed("scrub", "vm/a", "-p", "10");
        var deep = (await Succeed("deep-scrub", "vm/a", "--source", image, "-m")).Json;
        Assert.Equal(0, deep.GetProperty("errors").GetArrayLength());
        Assert.Equal(3, deep.GetProperty("scrub").GetProperty("blocks_checked").GetInt64());
    }

    [Fact]
    public async Task ASourceThatDiffersIsFoundByADeepScrub()
    {
        await Succeed("backup", _benji.WriteImage("disk.img", ImageSize, seed: 8), "vm", "-u", "a");
        var other = _benji.WriteImage("other.img", ImageSize, seed: 9);
        var scrub = await _benji.RunAsync("deep-scrub", "vm/a", "--source", other);
        Assert.Equal(65, scrub.ExitCode);
        Assert.StartsWith("differs 0 ", scrub.Output, StringComparison.Ordinal);
        Assert.StartsWith("benji: The source differs from vm/a", scrub.ErrorLine, StringComparison.Ordinal);
        var version = (await Succeed("ls", "-m")).Json.GetProperty("versions")[0];
        Assert.Equal("valid", version.GetProperty("status").GetString());
    }

    [Fact]
    public async Task RebuildBringsBackWhatTheCatalogKnew()
    {
        var image = _benji.WriteImage("disk.img", ImageSize, seed: 10);
        await Succeed("backup", image, "vm", "-u", "a", "-l", "site=berlin");
        await Succeed("protect", "vm/a");
        var before = (await Succeed("ls", "-m")).Output;
        Assert.Equal(73, (await _benji.RunAsync("rebuild")).ExitCode);
        foreach (var file in Directory.GetFiles(_benji.Home))
        {
            File.Delete(file);
        }

        Assert.Equal(66, (await _benji.RunAsync("ls")).ExitCode);
        var rebuilt = (await Succeed("rebuild", "-m")).Json;
        Assert.Equal(1, rebuilt.GetProperty("versions_adopted").GetInt64());
        Assert.Equal(before, (await Succeed("ls", "-m")).Output);
        await Succeed("rebuild", "--force");
        Assert.Equal(before, (await Succeed("ls", "-m")).Output);
        await Succeed("deep-scrub", "vm/a", "-s", image);
    }

    [Fact]
    public async Task AnEncryptedStoreNeedsItsKey()
    {
        var image = _benji.WriteImage("disk.img", 100_000, seed: 11);
        await Succeed("key", "new", _benji["benji.key"]);
        _benji.Variables["BENJI_KEY_FILE"] = _benji["benji.key"];
        await Succeed("backup", image, "vm", "-u", "a");
        await Succeed("deep-scrub", "vm/a");
        await Succeed("key", "new", _benji["other.key"]);
        _benji.Variables["BENJI_KEY_FILE"] = _benji["other.key"];
        Assert.Equal(78, (await _benji.RunAsync("restore", "vm/a", _benji["copy.img"])).ExitCode);
        _benji.Variables.Remove("BENJI_KEY_FILE");
        Assert.Equal(78, (await _benji.RunAsync("restore", "vm/a", _benji["copy.img"])).ExitCode);
        Assert.False(File.Exists(_benji["copy.img"]));
    }

    [Fact]
    public async Task MachineOutputIsOneDocumentAndItsLogIsJson()
    {
        var backup = await Succeed("backup", _benji.WriteImage("disk.img", 1000, seed: 12), "vm", "-u", "a", "-m");
        Assert.Equal("vm/a", backup.Json.GetProperty("versions")[0].GetProperty("uid").GetString());
        foreach (var line in backup.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var document = JsonDocument.Parse(line);
            Assert.Equal(JsonValueKind.String, document.RootElement.GetProperty("event").ValueKind);
        }
    }

    public void Dispose() => _benji.Dispose();

    private static void AssertSame(string expected, string actual) =>
        Assert.True(File.ReadAllBytes(expected).AsSpan().SequenceEqual(File.ReadAllBytes(actual)), "The images differ.");

    private async Task<ProgramResult> Succeed(params string[] arguments)
    {
        var result = await _benji.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, $"benji {string.Join(' ', arguments)}: {result.ExitCode}\n{result.Error}");
        return result;
    }
}
