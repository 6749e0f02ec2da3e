using Benji.Store.Posix;
using Benji.Store.Posix.Paths;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Posix;

public sealed class PosixFileTests : IDisposable
{
    private const OpenFlags New = OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void WhatIsWrittenIsReadAndReadsEndWithTheFile()
    {
        using var file = PosixFile.Open(_directory["x"], New);
        PosixFile.Write(file, "x", 10, "hello"u8);
        var destination = new byte[20];
        Assert.Equal(15, PosixFile.Read(file, "x", 0, destination));
        Assert.Equal([.. new byte[10], .. "hello"u8], destination[..15]);
        Assert.Equal(0, PosixFile.Read(file, "x", 15, destination));
        Assert.Equal(0, PosixFile.Read(file, "x", 1L << 50, destination));
    }

    [Fact]
    public void AnExclusiveCreateMeetsWhatIsThere()
    {
        PosixFile.Open(_directory["x"], New).Dispose();
        var failure = Assert.Throws<PosixException>(() => PosixFile.Open(_directory["x"], New));
        Assert.Equal(Errno.Exists, failure.Errno);
        Assert.Equal($"Could not create {_directory["x"]}: file exists", failure.Message);
    }

    [Fact]
    public void EveryFlagDoesWhatItSays()
    {
        File.WriteAllText(_directory["x"], "old");
        File.CreateSymbolicLink(_directory["link"], _directory["x"]);
        Assert.Equal(Errno.TooManySymbolicLinks, ErrnoOf(() => PosixFile.Open(_directory["link"], OpenFlags.NoFollow)));
        Assert.Equal(Errno.NotDirectory, ErrnoOf(() => PosixFile.Open(_directory["x"], OpenFlags.Directory)));
        Assert.Equal(Errno.NotFound, ErrnoOf(() => PosixFile.Open(_directory["y"], OpenFlags.Read)));
        Assert.Equal(Errno.IsDirectory, ErrnoOf(() => PosixFile.Open(_directory.Path, OpenFlags.Write)));
        PosixFile.Open(_directory["x"], OpenFlags.Write | OpenFlags.Truncate).Dispose();
        Assert.Equal(0, new FileInfo(_directory["x"]).Length);
    }

    [Fact]
    public void SyncsOfEveryKindSucceed()
    {
        using var file = PosixFile.Open(_directory["x"], New);
        PosixFile.Write(file, "x", 0, new byte[100_000]);
        PosixFile.StartWriting(file, 0, 100_000);
        PosixFile.SyncData(file, "x");
        PosixFile.Sync(file, "x");
        PosixFile.SyncFileSystem(file, "x");
        PosixDirectory.Sync(_directory.Path);
        FileAdvice.Sequential(file);
        FileAdvice.DontNeed(file, 0, 0);
        var bytes = new byte[100_000];
        Assert.Equal(100_000, PosixFile.Read(file, "x", 0, bytes));
    }

    [Fact]
    public void ASyncThatFailsIsNotTakenForOneThatWorked()
    {
        // The kernel has nothing to sync for a file of /proc, and says so.
        using var file = PosixFile.Open("/proc/self/status", OpenFlags.Read);
        Assert.Equal(Errno.Invalid, ErrnoOf(() => PosixFile.Sync(file, "status")));
    }

    [Fact]
    public void RenameNewTakesOnlyAFreeName()
    {
        File.WriteAllText(_directory["a"], "a");
        File.WriteAllText(_directory["b"], "b");
        Assert.False(PosixFile.TryRenameNew(_directory["a"], _directory["b"]));
        Assert.Equal("b", File.ReadAllText(_directory["b"]));
        Assert.True(PosixFile.TryRenameNew(_directory["a"], _directory["c"]));
        Assert.Equal("a", File.ReadAllText(_directory["c"]));
        Assert.False(File.Exists(_directory["a"]));
        Assert.Equal(Errno.NotFound, ErrnoOf(() => PosixFile.TryRenameNew(_directory["a"], _directory["d"])));
    }

    [Fact]
    public void StatusTellsKindSizeTimeAndPlace()
    {
        File.WriteAllText(_directory["x"], "12345");
        File.CreateSymbolicLink(_directory["link"], _directory["x"]);
        File.SetLastWriteTimeUtc(_directory["x"], new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        var status = FileStatus.Find(_directory["x"], followLink: false)!.Value;
        Assert.Equal((FileKind.Regular, 5L), (status.Kind, status.Size));
        Assert.Equal(new DateTimeOffset(2001, 2, 3, 4, 5, 6, TimeSpan.Zero), status.Modified);
        Assert.Equal(status, FileStatus.Find(_directory["link"], followLink: true));
        Assert.Equal(FileKind.SymbolicLink, FileStatus.Find(_directory["link"], followLink: false)!.Value.Kind);
        Assert.Equal(FileKind.Directory, FileStatus.Find(_directory.Path, followLink: false)!.Value.Kind);
        Assert.Equal(FileKind.Other, FileStatus.Find("/dev/null", followLink: false)!.Value.Kind);
        Assert.Equal(new DeviceNumber(1, 3), FileStatus.Find("/dev/null", followLink: false)!.Value.Device);
        Assert.Null(FileStatus.Find(_directory["missing"], followLink: true));
        Assert.Null(FileStatus.Find(_directory["x/below"], followLink: true));
        using var file = PosixFile.Open(_directory["x"], OpenFlags.Read);
        Assert.Equal(status with { }, FileStatus.Of(file, "x"));
    }

    [Fact]
    public void ARegularFileIsNoBlockDevice()
    {
        using var file = PosixFile.Open(_directory["x"], New);
        Assert.False(BlockDevice.IsBlockDevice(file));
        Assert.False(BlockDevice.IsBlockDevice(_directory["x"]));
        Assert.False(BlockDevice.IsBlockDevice(_directory["missing"]));
        Assert.Equal(Errno.NotTerminal, ErrnoOf(() => BlockDevice.Size(file)));
        Assert.Null(DeviceUse.Find(_directory["x"]));
    }

    [Fact]
    public void DirectoriesAreMadeWithTheirParents()
    {
        PosixDirectory.CreateDurably(_directory["a/b/c"]);
        Assert.True(PosixDirectory.IsDirectory(_directory["a/b/c"]));
        Assert.False(PosixDirectory.IsDirectory(_directory["a/b/d"]));
        var loop = _directory["loop"];
        File.CreateSymbolicLink(loop, loop);
        Assert.Throws<PosixException>(() => PosixDirectory.IsDirectory(loop));
        Assert.Equal(PosixDirectory.PrivateMode, FileStatus.Find(_directory["a/b/c"], followLink: false)!.Value.Mode);
        Assert.Equal(PosixDirectory.PrivateMode, FileStatus.Find(_directory["a"], followLink: false)!.Value.Mode);
        Assert.False(PosixDirectory.TryCreate(_directory["a"]));
    }

    private static int ErrnoOf(Action action) => Assert.Throws<PosixException>(action).Errno;
}
