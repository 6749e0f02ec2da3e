using System.Text.Json;
using Xunit;

namespace Benji.Interop.Cli;

/// <summary>Overlays as a user makes, lists, promotes and removes them.</summary>
public sealed class OverlayCommandTests : IDisposable
{
    private readonly BenjiProgram _benji = new();

    [Fact]
    public async Task AnOverlayIsMadeListedAndRemoved()
    {
        await BackupAsync();
        Assert.Equal("vm/a@fix\n", (await SucceedAsync("overlay", "create", "vm/a", "fix")).Output);
        Assert.Matches(@"^vm/a@\d{8}T\d{6}Z\n$", (await SucceedAsync("overlay", "create", "vm/latest")).Output);
        var lines = (await SucceedAsync("overlay", "ls")).Output.TrimEnd('\n').Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Matches(@"vm/a@fix +vm/a +[\d.]+s +0B +-$", lines[1]);
        Assert.Equal(3, (await SucceedAsync("overlay", "ls", "vm")).Output.TrimEnd('\n').Split('\n').Length);

        var listed = await SucceedAsync("overlay", "ls", "vm/a", "-m");
        using var json = JsonDocument.Parse(listed.Output);
        var overlay = json.RootElement.GetProperty("overlays")[0];
        Assert.Equal("vm/a@fix", overlay.GetProperty("uid").GetString());
        Assert.Equal(0, overlay.GetProperty("bytes_dirty").GetInt64());
        Assert.Equal(JsonValueKind.Null, overlay.GetProperty("holder").ValueKind);

        var refused = await _benji.RunAsync("rm", "-f", "vm/a");
        Assert.Equal(75, refused.ExitCode);
        Assert.Contains("vm/a@fix", refused.Error, StringComparison.Ordinal);
        Assert.Equal(73, (await _benji.RunAsync("overlay", "create", "vm/a", "fix")).ExitCode);
        await SucceedAsync("overlay", "rm", "vm/a@fix");
        Assert.Equal(66, (await _benji.RunAsync("overlay", "rm", "vm/a@fix")).ExitCode);
        Assert.Equal(66, (await _benji.RunAsync("overlay", "create", "vm/none")).ExitCode);
        Assert.Equal(64, (await _benji.RunAsync("overlay")).ExitCode);
    }

    [Fact]
    public async Task APromotedOverlayIsAProtectedVersion()
    {
        var image = await BackupAsync();
        await SucceedAsync("overlay", "create", "vm/a", "fix");
        Assert.Equal("vm/b\n", (await SucceedAsync("promote", "vm/a@fix", "-u", "b", "-l", "by=test")).Output);
        Assert.Equal(77, (await _benji.RunAsync("rm", "-f", "vm/b")).ExitCode);
        using var json = JsonDocument.Parse((await SucceedAsync("ls", "-m", "vm")).Output);
        Assert.Equal(
            "a@fix", json.RootElement.GetProperty("versions")[1].GetProperty("labels").GetProperty("promoted-from").GetString());
        await SucceedAsync("restore", "vm/b", _benji["copy.img"]);
        Assert.Equal(await File.ReadAllBytesAsync(image), await File.ReadAllBytesAsync(_benji["copy.img"]));
        Assert.Equal(66, (await _benji.RunAsync("promote", "vm/a@fix")).ExitCode);
    }

    [Fact]
    public async Task AFileThatIsInNoMountIsNoOverlay()
    {
        var image = await BackupAsync();
        var result = await _benji.RunAsync("promote", image);
        Assert.Equal(64, result.ExitCode);
        Assert.Contains("no image of a benji mount", result.Error, StringComparison.Ordinal);
        Assert.Equal(66, (await _benji.RunAsync("promote", _benji["none.img"])).ExitCode);
        Assert.Equal(64, (await _benji.RunAsync("promote", "vm/a")).ExitCode);
    }

    [Fact]
    public async Task AttributesThatWereCopiedToAFileAreNoProof()
    {
        await BackupAsync();
        await SucceedAsync("overlay", "create", "vm/a", "fix");
        await File.WriteAllTextAsync(_benji["a@fix.img"], "");
        using var json = JsonDocument.Parse((await SucceedAsync("overlay", "ls", "-m")).Output);
        var id = json.RootElement.GetProperty("overlays")[0].GetProperty("id").GetGuid();
        var set = await _benji.ShellAsync($$"""
            python3 -c '
            import os, sys
            catalog = os.stat(os.environ["BENJI_HOME"] + "/catalog.db")
            store = f"{os.major(catalog.st_dev)}:{os.minor(catalog.st_dev)}:{catalog.st_ino}"
            for name, value in ("name", "vm/a@fix"), ("id", "{{id:N}}"), ("store", store):
                os.setxattr(sys.argv[1], "user.benji." + name, value.encode())
            ' {{_benji["a@fix.img"]}}
            """);
        Assert.True(set.ExitCode == 0, set.Error);
        foreach (var command in new[] { "promote", "overlay rm --force" })
        {
            var result = await _benji.RunAsync([.. command.Split(' '), _benji["a@fix.img"]]);
            Assert.Equal(64, result.ExitCode);
            Assert.Contains("no image of a benji mount", result.Error, StringComparison.Ordinal);
        }

        Assert.Contains("vm/a@fix", (await SucceedAsync("overlay", "ls")).Output, StringComparison.Ordinal);
    }

    public void Dispose() => _benji.Dispose();

    private async Task<string> BackupAsync()
    {
        var image = _benji.WriteImage("disk.img", 300_000, seed: 70);
        await SucceedAsync("backup", image, "vm", "-u", "a");
        return image;
    }

    private async Task<ProgramResult> SucceedAsync(params string[] arguments)
    {
        var result = await _benji.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)}: {result.Error}");
        return result;
    }
}
