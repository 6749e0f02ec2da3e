using System.Text;
using System.Text.Json;
using Benji.Cli;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Cli;

/// <summary>Runs the program in this process, without a store.</summary>
public sealed class ApplicationTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly MemoryStream _output = new();
    private readonly MemoryStream _error = new();

    private string Output => Encoding.UTF8.GetString(_output.ToArray());

    private string Error => Encoding.UTF8.GetString(_error.ToArray());

    [Fact]
    public async Task TheVersionIsPrintedWithItsCommit()
    {
        Assert.Equal(0, await RunAsync("--version"));
        Assert.Matches(@"^benji \d+\.\d+\.\d+ \(commit ([0-9a-f]{40}|unknown)\)\n$", Output);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    public async Task HelpNamesEveryCommand(string option)
    {
        Assert.Equal(0, await RunAsync(option));
        Assert.All(
            Benji.Cli.Commands.CommandTree.Entries,
            entry => Assert.Contains($"  {entry.Name} ", Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task WithoutAnArgumentTheHelpIsPrinted()
    {
        Assert.Equal(64, await RunAsync());
        Assert.Contains("  restore ", Output, StringComparison.Ordinal);
        Assert.Equal("", Error);
    }

    [Fact]
    public async Task QuietSaysNothingOfARunThatWentWell()
    {
        var image = _directory["disk.img"];
        await File.WriteAllBytesAsync(image, new byte[100_000]);
        Assert.Equal(0, await RunAsync("--quiet", "backup", image, "my/disk", "-u", "one"));
        Assert.Equal(0, await RunAsync("overlay", "create", "my/disk/one", "try", "-q"));
        Assert.Equal(0, await RunAsync("deep-scrub", "my/disk/latest", "-q"));
        Assert.Equal(0, await RunAsync("cleanup", "-q"));
        Assert.Equal(("", ""), (Output, Error));
        Assert.Equal(66, await RunAsync("restore", "my/dsk/latest", _directory["copy.img"], "-q"));
        Assert.Equal("", Output);
        Assert.Contains("Did you mean 'my/disk'?", Error, StringComparison.Ordinal);
        Assert.Equal(0, await RunAsync("ls", "-q"));
        Assert.Contains("my/disk/one", Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task QuietAndVerboseContradictEachOther() => Assert.Equal(64, await RunAsync("ls", "-q", "-v"));

    [Fact]
    public async Task AnArgumentThatIsNotUtf8IsRefused()
    {
        Assert.Equal(64, await RunAsync("backup", "caf\ufffd", "vm"));
        Assert.Contains("is not UTF-8", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HelpOfACommandNamesItsOptions()
    {
        Assert.Equal(0, await RunAsync("backup", "--help"));
        Assert.Contains("benji backup <SOURCE> <VOLUME> [options]", Output, StringComparison.Ordinal);
        Assert.Contains("--rbd-hints <FILE>", Output, StringComparison.Ordinal);
        Assert.Contains("--machine-output", Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AUsageErrorIsOneLine()
    {
        Assert.Equal(64, await RunAsync("backup", "disk"));
        Assert.Equal("", Output);
        Assert.Equal("benji: VOLUME is missing. See 'benji backup --help'.\n", Error);
    }

    [Fact]
    public async Task AnUnknownLogLevelIsAUsageError()
    {
        Assert.Equal(64, await RunAsync("--log-level", "LOUD", "version-info"));
        Assert.StartsWith("benji: Log level 'LOUD' is not one of TRACE,", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AUsageErrorIsJsonInMachineOutput()
    {
        Assert.Equal(64, await RunAsync("bakup", "--json"));
        Assert.Equal("", Output);
        using var document = JsonDocument.Parse(Error);
        Assert.Equal(64, document.RootElement.GetProperty("exit_code").GetInt32());
        Assert.StartsWith(
            "There is no command 'bakup'.", document.RootElement.GetProperty("event").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task VersionInfoIsOneDocument()
    {
        Assert.Equal(0, await RunAsync("version-info", "-m"));
        using var document = JsonDocument.Parse(Output);
        Assert.Equal(BuildInfo.Version, document.RootElement.GetProperty("version").GetString());
        Assert.Equal("", Error);
    }

    [Fact]
    public async Task TheFormatVersionIsWhatTheStoreWrites()
    {
        Assert.Equal(0, await RunAsync("version-info"));
        Assert.Contains(
            $"store_format_version: {Benji.Store.Blocks.Sealing.SealedHeader.FormatVersion}\n", Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ANewKeyIsThirtyTwoBytesForItsOwnerOnly()
    {
        var path = _directory["benji.key"];
        Assert.Equal(0, await RunAsync("key", "new", path));
        Assert.Equal("", Output);
        Assert.Contains("Keep a copy", Error, StringComparison.Ordinal);
        Assert.Equal(32, Convert.FromBase64String((await File.ReadAllTextAsync(path)).TrimEnd('\n')).Length);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Single(Directory.GetFiles(_directory.Path));
    }

    [Fact]
    public async Task ANewKeyRefusesAFileThatExists()
    {
        var path = _directory["benji.key"];
        await File.WriteAllTextAsync(path, "precious");
        Assert.Equal(73, await RunAsync("key", "new", path));
        Assert.Equal("precious", await File.ReadAllTextAsync(path));
        Assert.Single(Directory.GetFiles(_directory.Path));
    }

    [Fact]
    public async Task ANewKeyNeedsItsDirectory() =>
        Assert.Equal(66, await RunAsync("key", "new", _directory["missing/benji.key"]));

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task CompletionPrintsTheScript(string shell)
    {
        Assert.Equal(0, await RunAsync("completion", shell));
        Assert.Contains($"# {shell} completion of benji.", Output, StringComparison.Ordinal);
        Assert.DoesNotContain("\r", Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnUnknownShellIsAUsageError()
    {
        Assert.Equal(64, await RunAsync("completion", "tcsh"));
        Assert.Equal("benji: Shell 'tcsh' is not one of bash, zsh, fish.\n", Error);
    }

    [Fact]
    public async Task AConfigurationThatIsNotThereIsAnError()
    {
        Assert.Equal(78, await RunAsync("ls", "-c", _directory["missing.yaml"]));
        Assert.Contains("missing.yaml", Error, StringComparison.Ordinal);
        Assert.Single(Error.TrimEnd('\n').Split('\n'));
    }

    public void Dispose()
    {
        _directory.Dispose();
        _output.Dispose();
        _error.Dispose();
    }

    private async Task<int> RunAsync(params string[] arguments)
    {
        var environment = new RunEnvironment
        {
            Output = _output,
            IsOutputTerminal = false,
            Error = _error,
            IsErrorTerminal = false,
            OutputWidth = () => throw new IOException("no terminal"),
            ErrorWidth = () => throw new IOException("no terminal"),
            ReadProcess = static _ => [.. "caf"u8, 0xe9, 0],
            Variable = name => name == "BENJI_HOME" ? _directory["home"] : null,
            Time = TimeProvider.System,
        };
        using var interruption = new Interruption();
        return await Application.RunAsync(arguments, environment, interruption);
    }
}
