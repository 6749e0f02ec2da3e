using Xunit;

namespace Benji.Interop.Cli;

/// <summary>Leads every command that writes somewhere to the store itself: exit code 77, and the store is as it was.</summary>
public sealed class OwnStoreTests : IAsyncLifetime, IDisposable
{
    private readonly BenjiProgram _benji = new();

    public async Task InitializeAsync()
    {
        _benji.WriteImage("a.img", 300_000, 1);
        Assert.Equal(0, (await _benji.RunAsync("backup", "a.img", "vm", "-u", "a")).ExitCode);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _benji.Dispose();

    [Theory]
    [InlineData("restore", "-f", "vm/a", "home/catalog.wal")]
    [InlineData("restore", "-f", "vm/a", "home/storage/store.json")]
    [InlineData("restore", "-f", "vm/a", "file:home/storage/versions/vm/a")]
    [InlineData("restore", "vm/a", "home/storage/new.img")]
    [InlineData("restore", "vm/a", "home/overlays/new.img")]
    [InlineData("restore", "vm/a", "home/catalog.img")]
    [InlineData("restore", "vm/a", "link/new.img")]
    [InlineData("restore", "-f", "vm/a", "hard.img")]
    [InlineData("key", "new", "home/storage/key")]
    [InlineData("key", "new", "link/key")]
    [InlineData("nbd", "--socket", "home/storage/socket")]
    [InlineData("nbd", "--socket", "home/overlays/socket")]
    public async Task APathInTheStoreIsRefusedAndNothingIsWritten(params string[] arguments)
    {
        Directory.CreateSymbolicLink(_benji["link"], _benji["home/storage"]);
        Assert.Equal(0, (await _benji.ShellAsync("ln home/storage/versions/vm/a hard.img")).ExitCode);
        var before = await ListAsync();
        var refused = await _benji.RunAsync(arguments);
        Assert.Equal((77, before), (refused.ExitCode, await ListAsync()));
        Assert.Contains("lies in", refused.ErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AKeyFileIsRefusedThoughItsOwnVariableNamesIt()
    {
        _benji.Variables["BENJI_KEY_FILE"] = _benji["home/storage/key"];
        Assert.Equal(77, (await _benji.RunAsync("key", "new", "home/storage/key")).ExitCode);
        _benji.Variables["BENJI_KEY_FILE"] = _benji["key"];
        Assert.Equal(0, (await _benji.RunAsync("key", "new", "key")).ExitCode);
    }

    [Theory]
    [InlineData("home/storage", "home/overlays", "home/storage/benji.log")]
    [InlineData("home/storage", "home/overlays", "home/catalog.wal")]
    [InlineData("home/storage", "home/overlays", "home/overlays/benji.log")]
    [InlineData("home/storage", "home/storage/overlays", "benji.log")]
    [InlineData("home/storage", "home/storage", "benji.log")]
    [InlineData("home", "overlays", "benji.log")]
    public async Task AConfigurationThatLeadsIntoTheStoreIsRefused(string storage, string overlays, string log)
    {
        await File.WriteAllTextAsync(_benji["benji.yaml"], $"""
            configurationVersion: '1'
            databaseEngine: litedb://{_benji["home/catalog.db"]}
            logFile: {_benji[log]}
            nbd:
              cowStore:
                directory: {_benji[overlays]}
            storages:
              - name: storage
                module: file
                configuration:
                  path: {_benji[storage]}
            """);
        var before = await ListAsync();
        foreach (var command in new[] { "ls", "cleanup", "rebuild --force" })
        {
            var refused = await _benji.RunAsync(["-c", "benji.yaml", .. command.Split(' ')]);
            Assert.Equal((command, 77, before), (command, refused.ExitCode, await ListAsync()));
        }
    }

    [Fact]
    public async Task ALinkInTheStorageIsRefusedByItsNameAndReplacedByABindMountItIsNot()
    {
        Directory.Move(_benji["home/storage/versions/vm"], _benji["moved"]);
        Directory.CreateSymbolicLink(_benji["home/storage/versions/vm"], _benji["moved"]);
        foreach (var command in new[] { "deep-scrub vm/a", "rebuild --force", "cleanup", "rm --force vm/a" })
        {
            var refused = await _benji.RunAsync(command.Split(' '));
            Assert.Equal((command, 78), (command, refused.ExitCode));
            Assert.Contains("versions/vm is a symbolic link", refused.Error, StringComparison.Ordinal);
        }
    }

    // Sizes and times: what was written over shows in one of them.
    private async Task<string> ListAsync() => (await _benji.ShellAsync(
        "find home ! -name 'catalog.*' ! -path '*/catalog.owners/*' -printf '%p %s %T@ %m\\n' | sort; sha256sum home/catalog.db")).Output;
}
