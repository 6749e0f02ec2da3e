using Xunit;

namespace Benji.Interop.Cli;

/// <summary>What may not be looked into is neither missing nor damaged: exit code 74, and nothing is marked. Needs root.</summary>
public sealed class PermissionTests : IDisposable
{
    private const int Failed = 74;

    private readonly BenjiProgram _benji = new();

    public void Dispose()
    {
        // So that it can be removed by whoever is not root, too.
        foreach (var directory in new[] { _benji.Home, Path.Combine(_benji.Home, "storage", "blocks") })
        {
            File.SetUnixFileMode(
                directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        _benji.Dispose();
    }

    [Theory]
    [InlineData("scrub", "vm/v1")]
    [InlineData("deep-scrub", "vm/v1")]
    [InlineData("restore", "vm/v1", "target.img", "--force")]
    public async Task BlocksThatMayNotBeReadAreNotDamaged(params string[] command)
    {
        await BackUpAsync();
        File.SetUnixFileMode(Path.Combine(_benji.Home, "storage", "blocks"), UnixFileMode.None);
        var target = await File.ReadAllBytesAsync(_benji.WriteImage("target.img", 9_000_000, seed: 61));

        Assert.Equal(Failed, (await RunBoundAsync(command)).ExitCode);

        Assert.Equal(target, await File.ReadAllBytesAsync(_benji["target.img"]));
        var version = (await _benji.RunAsync("ls", "-m")).Json.GetProperty("versions").EnumerateArray().Single();
        Assert.Equal("valid", version.GetProperty("status").GetString());
    }

    [Theory]
    [InlineData("ls")]
    [InlineData("restore", "vm/v1", "restored.img")]
    [InlineData("rm", "vm/v1")]
    [InlineData("cleanup")]
    [InlineData("rebuild")]
    [InlineData("rebuild", "--force")]
    [InlineData("backup", "disk.img", "vm")]
    public async Task AStoreThatMayNotBeLookedIntoIsNotMissing(params string[] command)
    {
        await BackUpAsync();
        File.SetUnixFileMode(_benji.Home, UnixFileMode.None);

        var result = await RunBoundAsync(command);

        Assert.Equal(Failed, result.ExitCode);
        Assert.Contains("permission denied", result.Error, StringComparison.OrdinalIgnoreCase);
    }

    private async Task BackUpAsync()
    {
        var image = _benji.WriteImage("disk.img", 9_000_000, seed: 60);
        Assert.Equal(0, (await _benji.RunAsync("backup", image, "vm", "-u", "v1")).ExitCode);
    }

    // As root, but without the right to pass over permissions.
    private Task<ProgramResult> RunBoundAsync(string[] command) => _benji.RunAsync(
        "setpriv", ["--bounding-set=-dac_override,-dac_read_search", BenjiProgram.Executable, .. command]);
}
