using Benji.Store.Posix;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Posix;

public sealed class DurableFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void ReplaceCreatesAndReplacesAsAWhole()
    {
        DurableFile.Replace(_directory["x"], new byte[1000]);
        Assert.Equal(1000, File.ReadAllBytes(_directory["x"]).Length);
        DurableFile.Replace(_directory["x"], "new"u8);
        Assert.Equal("new", File.ReadAllText(_directory["x"]));
        Assert.Equal([_directory["x"]], Directory.GetFileSystemEntries(_directory.Path));
    }

    [Fact]
    public void CreateLeavesATakenNameAlone()
    {
        Assert.True(DurableFile.TryCreate(_directory["x"], "first"u8));
        Assert.False(DurableFile.TryCreate(_directory["x"], "second"u8));
        Assert.Equal("first", File.ReadAllText(_directory["x"]));
        Assert.Equal([_directory["x"]], Directory.GetFileSystemEntries(_directory.Path));
    }

    [Fact]
    public void OneOfManyConcurrentCreatesWins()
    {
        var results = new bool[16];
        Parallel.For(0, results.Length, i => results[i] = DurableFile.TryCreate(_directory["x"], [(byte)i]));
        Assert.Single(results, true);
        Assert.Equal([(byte)Array.IndexOf(results, true)], File.ReadAllBytes(_directory["x"]));
        Assert.Single(Directory.GetFileSystemEntries(_directory.Path));
    }

    [Fact]
    public void TheModeIsExactlyAsAsked()
    {
        DurableFile.Replace(_directory["private"], "x"u8);
        Assert.Equal(PosixFile.PrivateMode, ModeOf("private"));
        const UnixFileMode Open = UnixFileMode.UserRead | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        DurableFile.Replace(_directory["private"], "x"u8, Open);
        Assert.Equal(Open, ModeOf("private"));
    }

    [Fact]
    public void AFailedReplaceLeavesTheOldAndNoTemporaryFile()
    {
        Directory.CreateDirectory(_directory["taken"]);
        var failure = Assert.Throws<PosixException>(() => DurableFile.Replace(_directory["taken"], "x"u8));
        Assert.Equal(Errno.IsDirectory, failure.Errno);
        Assert.Contains("is a directory", failure.Message, StringComparison.Ordinal);
        Assert.Equal([_directory["taken"]], Directory.GetFileSystemEntries(_directory.Path));
    }

    [Fact]
    public void AMissingDirectoryIsAnErrorThatNamesIt()
    {
        var failure = Assert.Throws<PosixException>(() => DurableFile.Replace(_directory["no/x"], "x"u8));
        Assert.Equal(Errno.NotFound, failure.Errno);
        Assert.Contains(_directory["no"], failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DeleteSaysWhetherThereWasAFile()
    {
        DurableFile.Replace(_directory["x"], "x"u8);
        Assert.True(DurableFile.Delete(_directory["x"]));
        Assert.False(DurableFile.Delete(_directory["x"]));
        Assert.Empty(Directory.GetFileSystemEntries(_directory.Path));
    }

    private UnixFileMode ModeOf(string name) => FileStatus.Find(_directory[name], followLink: false)!.Value.Mode;
}
