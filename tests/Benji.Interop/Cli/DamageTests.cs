using Xunit;

namespace Benji.Interop.Cli;

/// <summary>What damaged objects in a storage get: everything else is still right, and the exit code says so.</summary>
public sealed class DamageTests : IDisposable
{
    private const int BlockSize = 64 * 1024;
    private const int ImageSize = 40 * BlockSize;

    private readonly BenjiProgram _benji = new();

    [Theory]
    [InlineData("flipped")]
    [InlineData("truncated")]
    [InlineData("missing")]
    [InlineData("swapped")]
    public async Task ADamagedBlockIsZerosAndAllElseIsRight(string damage)
    {
        var image = await BackUpAsync();
        DamageObject("blocks", damage);
        var restore = await _benji.RunAsync("restore", "vm/a", _benji["copy.img"]);
        Assert.Equal(65, restore.ExitCode);
        Assert.StartsWith("benji: ", restore.ErrorLine, StringComparison.Ordinal);

        var expected = await File.ReadAllBytesAsync(image);
        var map = restore.Output.TrimEnd('\n').Split('\n').Select(line => line.Split(' ', 5)).ToList();
        Assert.All(map, line => Assert.Equal("damaged", line[0]));
        foreach (var line in map)
        {
            expected.AsSpan(int.Parse(line[1], null), int.Parse(line[2], null)).Clear();
        }

        var copy = await File.ReadAllBytesAsync(_benji["copy.img"]);
        Assert.True(
            expected.AsSpan().SequenceEqual(copy),
            "The copy is not the image with zeros where the damage map says.");
        Assert.InRange(map.Sum(line => long.Parse(line[2], null)), 1, 2 * BlockSize);
    }

    [Theory]
    [InlineData("flipped")]
    [InlineData("truncated")]
    [InlineData("missing")]
    public async Task AnInvalidBlockIsHealedByTheNextBackup(string damage)
    {
        var image = await BackUpAsync();
        DamageObject("blocks", damage);
        var scrub = await _benji.RunAsync("deep-scrub", "vm/a", "-m");
        Assert.Equal(65, scrub.ExitCode);
        Assert.Equal("vm/a", scrub.Json.GetProperty("errors")[0].GetProperty("uid").GetString());
        Assert.True(scrub.Json.GetProperty("damage").GetArrayLength() > 0);
        Assert.Equal("invalid", await StatusAsync("vm/a"));

        Assert.Equal(0, (await _benji.RunAsync("backup", image, "vm", "-u", "b")).ExitCode);
        Assert.Equal(0, (await _benji.RunAsync("deep-scrub", "vm/a", "-s", image)).ExitCode);
        Assert.Equal("valid", await StatusAsync("vm/a"));
        Assert.Equal(0, (await _benji.RunAsync("deep-scrub", "vm/b", "-s", image)).ExitCode);
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("missing")]
    public async Task AScrubFindsWhatIsMissingOrShort(string damage)
    {
        await BackUpAsync();
        DamageObject("blocks", damage);
        var scrub = await _benji.RunAsync("scrub", "vm/a");
        Assert.Equal(65, scrub.ExitCode);
        Assert.StartsWith("damaged ", scrub.Output, StringComparison.Ordinal);
        Assert.Equal("invalid", await StatusAsync("vm/a"));
    }

    [Theory]
    [InlineData("flipped")]
    [InlineData("truncated")]
    [InlineData("missing")]
    public async Task ADamagedManifestIsAProblemOfARebuild(string damage)
    {
        var image = await BackUpAsync();
        Assert.Equal(0, (await _benji.RunAsync("backup", image, "other", "-u", "a")).ExitCode);
        DamageObject("versions", damage);
        var rebuild = await _benji.RunAsync("rebuild", "--force", "-m");
        Assert.Equal(damage == "missing" ? 0 : 65, rebuild.ExitCode);
        Assert.Equal(1, rebuild.Json.GetProperty("versions_adopted").GetInt64());
        Assert.Equal(damage == "missing" ? 0 : 1, rebuild.Json.GetProperty("problems").GetArrayLength());
    }

    public void Dispose() => _benji.Dispose();

    private async Task<string> BackUpAsync()
    {
        var image = _benji.WriteImage("disk.img", ImageSize, seed: 30);
        var backup = await _benji.RunAsync("backup", image, "vm", "-u", "a", "-b", "64K");
        Assert.True(backup.ExitCode == 0, backup.Error);
        return image;
    }

    private async Task<string?> StatusAsync(string uid) =>
        (await _benji.RunAsync("ls", "-m")).Json.GetProperty("versions").EnumerateArray()
            .Single(version => version.GetProperty("uid").GetString() == uid).GetProperty("status").GetString();

    // The objects in the order of their names: the first one, and for a swap the second.
    private void DamageObject(string folder, string damage)
    {
        var objects = Directory
            .GetFiles(Path.Combine(_benji.Home, "storage", folder), "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).ToList();
        var content = File.ReadAllBytes(objects[0]);
        switch (damage)
        {
            case "flipped":
                content[content.Length / 2] ^= 0x10;
                Rewrite(objects[0], content);
                break;
            case "truncated":
                Rewrite(objects[0], content[..(content.Length / 2)]);
                break;
            case "missing":
                File.Delete(objects[0]);
                break;
            default:
                Rewrite(objects[0], File.ReadAllBytes(objects[1]));
                Rewrite(objects[1], content);
                break;
        }
    }

    private static void Rewrite(string path, byte[] content)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write);
        file.Write(content);
    }
}
