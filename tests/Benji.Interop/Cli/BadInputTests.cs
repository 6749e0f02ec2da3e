using System.Text;
using Xunit;

namespace Benji.Interop.Cli;

/// <summary>What bad input gets: one line, the documented exit code, and nothing lost.</summary>
public sealed class BadInputTests : IDisposable
{
    private const int ImageSize = 5 * 1024 * 1024;

    private readonly BenjiProgram _benji = new();

    [Theory]
    [InlineData("..")]
    [InlineData("a//b")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a/../b")]
    [InlineData("a@b")]
    [InlineData("a\u0001b")]
    [InlineData("a\nb")]
    [InlineData("disk.img")]
    [InlineData("")]
    [InlineData("über")]
    public async Task ABadVolumeNameIsAUsageError(string volume) => await FailAsync(64, "backup", Image(), volume);

    [Theory]
    [InlineData("latest")]
    [InlineData("a.img")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("a@b")]
    public async Task ABadVersionNameIsAUsageError(string version) =>
        await FailAsync(64, "backup", Image(), "vm", "-u", version);

    [Fact]
    public async Task ANameOfThreeHundredBytesIsAUsageError()
    {
        await FailAsync(64, "backup", Image(), new string('a', 300));
        await FailAsync(64, "backup", Image(), "vm", "-u", new string('a', 300));
    }

    [Fact]
    public async Task ASourceThatIsNotThereIsNotFound()
    {
        await FailAsync(66, "backup", _benji["missing.img"], "vm");
        await FailAsync(66, "backup", $"file:{_benji["missing.img"]}", "vm");
    }

    [Fact]
    public async Task ASourceThatCannotBeReadIsAnError()
    {
        await FailAsync([64, 74], "backup", _benji.Directory, "vm");
        await FailAsync([64, 74], "backup", "/dev/tty0", "vm");
        await FailAsync(64, "backup", "nosuchscheme:disk", "vm");
    }

    [Fact]
    public async Task AVersionThatIsNotThereIsNotFound()
    {
        await Backup("vm", "a");
        await FailAsync(66, "restore", "vm/b", _benji["copy.img"]);
        await FailAsync(66, "restore", "other/latest", _benji["copy.img"]);
        await FailAsync(66, "scrub", "vm/b");
        await FailAsync(66, "deep-scrub", "vm/b");
        await FailAsync(66, "protect", "vm/b");
        await FailAsync(66, "label", "vm/b", "x=y");
        await FailAsync(66, "rm", "vm/b");
        await FailAsync(66, "backup", Image(), "vm", "-f", "vm/b");
        Assert.False(File.Exists(_benji["copy.img"]));
    }

    [Fact]
    public async Task AStoreThatIsNotThereIsNotFound()
    {
        await FailAsync(66, "ls");
        await FailAsync(66, "restore", "vm/a", _benji["copy.img"]);
        Assert.False(Directory.Exists(_benji.Home), "Looking made a store.");
    }

    [Fact]
    public async Task AVersionNameThatIsTakenExists()
    {
        await Backup("vm", "a");
        await FailAsync(73, "backup", Image(), "vm", "-u", "a");
    }

    [Theory]
    [InlineData("[{\"offset\":5242880,\"length\":1,\"exists\":true}]")]
    [InlineData("[{\"offset\":0,\"length\":9223372036854775807,\"exists\":true}]")]
    [InlineData("[{\"offset\":-1,\"length\":10,\"exists\":true}]")]
    [InlineData("[{\"offset\":0,\"length\":10}]")]
    [InlineData("{}")]
    [InlineData("")]
    [InlineData("not json")]
    public async Task BadHintsAreRefused(string hints)
    {
        await Backup("vm", "a");
        await File.WriteAllTextAsync(_benji["hints"], hints);
        await FailAsync(65, "backup", Image(), "vm", "-f", "vm/latest", "-r", _benji["hints"]);
        Assert.Single((await _benji.RunAsync("ls", "-m")).Json.GetProperty("versions").EnumerateArray());
    }

    [Fact]
    public async Task HintsThatCallChangedDataUnchangedAreRefused()
    {
        await Backup("vm", "a");
        await File.WriteAllTextAsync(_benji["hints"], "[]");
        var other = _benji.WriteImage("other.img", ImageSize, seed: 77);
        await FailAsync(65, "backup", other, "vm", "-f", "vm/a", "-r", _benji["hints"]);
    }

    [Fact]
    public async Task HintsThatAreNotThereAreNotFound()
    {
        await Backup("vm", "a");
        await FailAsync(66, "backup", Image(), "vm", "-r", _benji["missing"]);
    }

    [Fact]
    public async Task ABaseVersionOfAnotherBlockSizeIsAUsageError()
    {
        await Backup("vm", "a");
        await FailAsync(64, "backup", Image(), "vm", "-f", "vm/a", "-b", "64K");
        await FailAsync(64, "backup", Image(), "new", "-b", "65537");
        await FailAsync(64, "backup", Image(), "new", "-b", "32K");
    }

    [Fact]
    public async Task AnUnknownStorageIsAUsageError() => await FailAsync(64, "backup", Image(), "vm", "-S", "elsewhere");

    [Fact]
    public async Task AKeyForAnUnencryptedStoreIsAConfigurationError()
    {
        await Backup("vm", "a");
        await File.WriteAllTextAsync(_benji["password"], "correct horse\n");
        _benji.Variables["BENJI_PASSWORD_FILE"] = _benji["password"];
        await FailAsync(78, "backup", Image(), "vm");
    }

    [Fact]
    public async Task AWrongPasswordIsAConfigurationError()
    {
        await File.WriteAllTextAsync(_benji["password"], "correct horse\n");
        _benji.Variables["BENJI_PASSWORD_FILE"] = _benji["password"];
        await Backup("vm", "a");
        await File.WriteAllTextAsync(_benji["password"], "battery staple\n");
        await FailAsync(78, "deep-scrub", "vm/a");
        _benji.Variables["BENJI_PASSWORD_FILE"] = _benji["missing"];
        await FailAsync(78, "deep-scrub", "vm/a");
    }

    [Fact]
    public async Task AConfigurationWithATypoNamesTheNearestKey()
    {
        await File.WriteAllTextAsync(
            _benji["benji.yaml"],
            $"""
            configurationVersion: 1
            databaseEngine: litedb:///{_benji["catalog.db"]}
            defaultStorag: main
            storages:
              - name: main
                module: file
                configuration:
                  path: {_benji["storage"]}
            """);
        var failed = await FailAsync(78, "ls", "-c", _benji["benji.yaml"]);
        Assert.Contains("defaultStorage", failed.ErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherStoresDirectoryIsAConfigurationError()
    {
        await Backup("vm", "a");
        Directory.Move(Path.Combine(_benji.Home, "storage"), _benji["first"]);
        Directory.Delete(_benji.Home, recursive: true);
        await Backup("vm", "a");
        Directory.Move(Path.Combine(_benji.Home, "storage"), _benji["second"]);
        Directory.Move(_benji["first"], Path.Combine(_benji.Home, "storage"));
        await FailAsync(78, "restore", "vm/a", _benji["copy.img"]);
        await FailAsync(78, "backup", Image(), "vm");
    }

    [Fact]
    public async Task ANewerFormatIsAConfigurationError()
    {
        await Backup("vm", "a");
        var path = Path.Combine(_benji.Home, "storage", "store.json");
        var text = await File.ReadAllTextAsync(path, Encoding.UTF8);
        var newer = System.Text.RegularExpressions.Regex.Replace(text, "(\"version\"\\s*:\\s*)1\\b", "${1}2");
        Assert.NotEqual(text, newer);
        await File.WriteAllTextAsync(path, newer);
        await FailAsync(78, "restore", "vm/a", _benji["copy.img"]);
    }

    public void Dispose() => _benji.Dispose();

    private string Image() => File.Exists(_benji["disk.img"])
        ? _benji["disk.img"]
        : _benji.WriteImage("disk.img", ImageSize, seed: 20);

    private async Task Backup(string volume, string version)
    {
        var result = await _benji.RunAsync("backup", Image(), volume, "-u", version);
        Assert.True(result.ExitCode == 0, result.Error);
    }

    private Task<ProgramResult> FailAsync(int code, params string[] arguments) => FailAsync([code], arguments);

    private async Task<ProgramResult> FailAsync(int[] codes, params string[] arguments)
    {
        var result = await _benji.RunAsync(arguments);
        Assert.True(
            codes.Contains(result.ExitCode), $"benji {string.Join(' ', arguments)}: {result.ExitCode}\n{result.Error}");
        Assert.StartsWith("benji: ", result.ErrorLine, StringComparison.Ordinal);
        Assert.Single(result.Error.Split('\n'), line => line.StartsWith("benji: ", StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        return result;
    }
}
