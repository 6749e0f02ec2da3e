using Benji.Cli.Commands;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Cli.Commands;

public class CommandLineTests
{
    [Fact]
    public void BackupTakesItsLongOptions()
    {
        var backup = Read<BackupCommand>(
            "backup", "file:/dev/sda", "vm/a", "--uid", "first", "--snapshot", "snap", "--base-version", "vm/a/latest",
            "--rbd-hints", "hints.json", "--block-size", "64K", "--label", "a=1", "--label", "b", "--storage", "main")
            .Read(Parsed);
        Assert.Equal("file:/dev/sda", backup.Source);
        Assert.Equal("vm/a", backup.Volume);
        Assert.Equal("first", backup.Version);
        Assert.Equal("snap", backup.Snapshot);
        Assert.Equal("vm/a/latest", backup.BaseVersion);
        Assert.Equal("hints.json", backup.HintsFile);
        Assert.Equal(65536, backup.BlockSize);
        Assert.Equal([new("a", "1"), new("b", "")], backup.Labels);
        Assert.Equal("main", backup.Storage);
    }

    [Fact]
    public void BackupTakesItsShortOptionsAnywhere()
    {
        var command = Read<BackupCommand>(
            "backup", "-u", "first", "disk", "-s", "snap", "-f", "vm/a/x", "vm", "-r", "hints", "-b", "65536",
            "-l", "a=1", "-l", "a-", "-S", "main");
        var backup = command.Read(Parsed);
        Assert.Equal(
            ("disk", "vm", "first", "snap", "vm/a/x", "hints", 65536, "main"),
            (backup.Source, backup.Volume, backup.Version, backup.Snapshot, backup.BaseVersion, backup.HintsFile,
                backup.BlockSize, backup.Storage));
        Assert.Empty(backup.Labels);
    }

    [Fact]
    public void BackupNeedsNoOption()
    {
        var backup = Read<BackupCommand>("backup", "disk", "vm").Read(Parsed);
        Assert.Null(backup.Version);
        Assert.Equal("", backup.Snapshot);
        Assert.Null(backup.BaseVersion);
        Assert.Null(backup.HintsFile);
        Assert.Null(backup.BlockSize);
        Assert.Empty(backup.Labels);
        Assert.Null(backup.Storage);
    }

    [Theory]
    [InlineData(false, false, "restore", "vm/a", "out.img")]
    [InlineData(true, false, "restore", "-s", "vm/a", "out.img")]
    [InlineData(true, true, "restore", "vm/a", "out.img", "--sparse", "--force")]
    [InlineData(true, true, "restore", "-sf", "vm/a", "out.img")]
    public void RestoreTakesItsOptions(bool isSparse, bool force, params string[] arguments)
    {
        var restore = Read<RestoreCommand>(arguments).Read(Parsed);
        Assert.Equal(("vm/a", "out.img"), (restore.Version, restore.Target));
        Assert.Equal((isSparse, force), (restore.IsSparse, restore.Force));
    }

    [Fact]
    public void PromoteTakesItsOptions()
    {
        var promote = Read<PromoteCommand>("promote", "vm/a@fix", "-u", "b", "-l", "by=fsck").Read(Parsed);
        Assert.Equal(("vm/a@fix", "b"), (promote.Overlay, promote.Version));
        Assert.Equal([new("by", "fsck")], promote.Labels);
        promote = Read<PromoteCommand>("promote", "/mnt/vm/a@fix.img").Read(Parsed);
        Assert.Null(promote.Version);
        Assert.Empty(promote.Labels);
    }

    [Theory]
    [InlineData(false, "overlay", "rm", "vm/a@one", "vm/a@two")]
    [InlineData(true, "overlay", "rm", "--force", "vm/a@one", "vm/a@two")]
    [InlineData(true, "overlay", "rm", "vm/a@one", "-f", "vm/a@two")]
    public void OverlayRmTakesItsOptions(bool force, params string[] arguments)
    {
        var request = Read<OverlayCommand>(arguments).ReadRemoval(Parsed);
        Assert.Equal(["vm/a@one", "vm/a@two"], request.Overlays);
        Assert.Equal(force, request.Force);
    }

    [Fact]
    public void ScrubsTakeTheirOptions()
    {
        var scrub = Read<ScrubCommand>("scrub", "vm/a", "-p", "10").Read(Parsed);
        Assert.Equal(("vm/a", false, 10), (scrub.Version, scrub.IsDeep, scrub.BlockPercentage));
        var deep = Read<DeepScrubCommand>("deep-scrub", "--block-percentage", "5", "vm/a", "-s", "disk").Read(Parsed);
        Assert.Equal(("vm/a", true, 5, "disk"), (deep.Version, deep.IsDeep, deep.BlockPercentage, deep.Source));
        var whole = Read<DeepScrubCommand>("deep-scrub", "vm/a").Read(Parsed);
        Assert.Equal((100, null), (whole.BlockPercentage, whole.Source));
    }

    [Fact]
    public void RemoveTakesSeveralVersions()
    {
        var remove = Read<RemoveCommand>("rm", "vm/a", "-f", "vm/b").Read(Parsed);
        Assert.Equal(["vm/a", "vm/b"], remove.Versions);
        Assert.True(remove.Force);
        Assert.False(Read<RemoveCommand>("rm", "vm/a").Read(Parsed).Force);
    }

    [Fact]
    public void CleanupAndRebuildTakeTheirOptions()
    {
        Assert.Equal(
            TimeSpan.FromMinutes(30), Read<CleanupCommand>("cleanup", "--older-than", "30m").Read(Parsed).OlderThan);
        Assert.Null(Read<CleanupCommand>("cleanup").Read(Parsed).OlderThan);
        Assert.True(Read<RebuildCommand>("rebuild", "--force").Read(Parsed).Force);
        Assert.False(Read<RebuildCommand>("rebuild").Read(Parsed).Force);
    }

    [Theory]
    [InlineData("ls")]
    [InlineData("ls", "vm", "-l", "-s")]
    [InlineData("ls", "--include-labels", "--include-stats")]
    [InlineData("protect", "vm/a", "vm/b")]
    [InlineData("unprotect", "vm/a")]
    [InlineData("label", "vm/a", "k=v", "k-")]
    [InlineData("key", "new", "file")]
    [InlineData("version-info")]
    [InlineData("completion", "bash")]
    [InlineData("backup", "--", "-dash", "vm")]
    [InlineData("backup", "[bracket]", "vm")]
    [InlineData("backup", "@at", "/h")]
    public void TheLineIsValid(params string[] arguments) => new CommandLine(arguments).Check();

    [Theory]
    [InlineData("-c", "file", "-m", "--log-level", "debug", "--no-color", "-v", "ls")]
    [InlineData("ls", "--config-file", "file", "--json", "--log-level", "DEBUG", "--no-color", "--verbose")]
    [InlineData("--machine-output", "-c", "file", "ls", "-v", "--no-color", "--log-level=debug")]
    public void GlobalOptionsStandAnywhere(params string[] arguments)
    {
        var line = new CommandLine(arguments);
        line.Check();
        Assert.Equal(
            new GlobalSettings
            {
                ConfigFile = "file",
                IsMachineOutput = true,
                LogLevel = Microsoft.Extensions.Logging.LogLevel.Debug,
                HasNoColor = true,
                IsVerbose = true,
            },
            line.ReadSettings());
    }

    [Fact]
    public void TheNameOfACommandMayBeTheValueOfAnOption()
    {
        var line = new CommandLine(["-c", "backup", "ls"]);
        line.Check();
        Assert.IsType<ListCommand>(line.Command);
        Assert.Equal("backup", line.ReadSettings().ConfigFile);
    }

    [Theory]
    [InlineData("No command is given. See 'benji --help'.", "-m")]
    [InlineData("There is no command 'bakup'. Did you mean 'backup'? See 'benji --help'.", "bakup", "a", "b")]
    [InlineData("There is no command 'frobnicate'. See 'benji --help'.", "frobnicate")]
    [InlineData("There is no command 'back'. See 'benji --help'.", "back", "a", "b")]
    [InlineData("VOLUME is missing. See 'benji backup --help'.", "backup", "a")]
    [InlineData("SOURCE and VOLUME are missing. See 'benji backup --help'.", "backup")]
    [InlineData("FILE is missing. See 'benji key new --help'.", "key", "new")]
    [InlineData("LABEL is missing. See 'benji label --help'.", "label", "vm/a")]
    [InlineData("There is no option '--froce'. Did you mean '--force'? See 'benji rm --help'.", "rm", "--froce", "vm/a")]
    [InlineData("There is no option '--forc'. Did you mean '--force'? See 'benji restore --help'.", "restore", "--forc", "a", "b")]
    [InlineData("There is no option '-x'. See 'benji ls --help'.", "ls", "-x")]
    public void AnInvalidLineSaysWhatToDo(string message, params string[] arguments) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => new CommandLine(arguments).Check()).Message);

    [Theory]
    [InlineData("ls", "a", "b")]
    [InlineData("backup", "a", "b", "-u")]
    [InlineData("backup", "a", "b", "-u", "x", "-u", "y")]
    [InlineData("key")]
    [InlineData("key", "old", "file")]
    [InlineData("version-info", "x")]
    [InlineData("ls", "-c")]
    [InlineData("rebuild", "--force=maybe")]
    [InlineData("@response.txt")]
    public void AnInvalidLineIsRefused(params string[] arguments)
    {
        var failure = Assert.Throws<UsageException>(() => new CommandLine(arguments).Check());
        Assert.DoesNotContain('\n', failure.Message);
        Assert.Contains("--help'.", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("backup", "a", "b", "-b", "big")]
    [InlineData("backup", "a", "b", "-l", "=x")]
    public void ValuesAreChecked(params string[] arguments)
    {
        var command = Read<BackupCommand>(arguments);
        Assert.Throws<UsageException>(() => command.Read(Parsed));
    }

    private System.CommandLine.ParseResult Parsed { get; set; } = null!;

    private T Read<T>(params string[] arguments)
        where T : class
    {
        var line = new CommandLine(arguments);
        line.Check();
        Parsed = line.Parsed;
        return Assert.IsType<T>(line.Command);
    }
}
