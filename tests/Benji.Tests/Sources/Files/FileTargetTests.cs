using System.Runtime.Versioning;
using Benji.Store.Model;
using Benji.Store.Posix;
using Benji.Store.Sources;
using Benji.Store.Sources.Files;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Sources.Files;

public sealed class NewFileTargetTests : TargetContract
{
    private static readonly SourceOpener Opener = new(IoOptions.Default);

    internal override ITarget Open() => Opener.OpenTarget(Directory["new"], Size, force: false);

    internal override byte[] Content() => File.ReadAllBytes(Directory["new"]);

    internal override byte[] Before() => new byte[Size];
}

public sealed class ExistingFileTargetTests : TargetContract
{
    private readonly byte[] _before = new byte[Size];

    public ExistingFileTargetTests()
    {
        new Random(17).NextBytes(_before);
        using var file = File.Create(Directory["old"]);
        file.Write(_before);
    }

    private static readonly SourceOpener Opener = new(IoOptions.Default);

    internal override ITarget Open() => Opener.OpenTarget($"file:{Directory["old"]}", Size, force: true);

    internal override byte[] Content() => File.ReadAllBytes(Directory["old"]);

    internal override byte[] Before() => [.. _before];
}

[SupportedOSPlatform("linux")]
public sealed class FileTargetTests : IDisposable
{
    private static readonly SourceOpener Opener = new(IoOptions.Default);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task ANewFileHasNoNameBeforeItIsFlushed()
    {
        await using (var target = Opener.OpenTarget(_directory["new"], 8192, force: false))
        {
            Assert.True(target.IsZeroed);
            await target.WriteAsync(0, new byte[8192], CancellationToken.None);
            Assert.False(File.Exists(_directory["new"]));
            var partial = Assert.Single(Directory.GetFiles(_directory.Path));
            Assert.StartsWith(_directory["new.partial-"], partial, StringComparison.Ordinal);
            Assert.Equal(PosixFile.PrivateMode, File.GetUnixFileMode(partial));
            await target.FlushAsync(CancellationToken.None);
        }

        Assert.Equal([_directory["new"]], Directory.GetFiles(_directory.Path));
        Assert.Equal(PosixFile.PrivateMode, File.GetUnixFileMode(_directory["new"]));
    }

    [Fact]
    public async Task ANewFileThatIsNotFlushedLeavesNothing()
    {
        await using (var target = Opener.OpenTarget(_directory["new"], 8192, force: true))
        {
            await target.WriteAsync(0, new byte[4096], CancellationToken.None);
        }

        Assert.Empty(Directory.GetFileSystemEntries(_directory.Path));
    }

    [Fact]
    public async Task ANameTakenMeanwhileIsNotReplacedAndTheWholeFileIsKept()
    {
        AlreadyExistsException error;
        await using (var target = Opener.OpenTarget(_directory["new"], 8192, force: true))
        {
            await File.WriteAllTextAsync(_directory["new"], "theirs");
            error = await Assert.ThrowsAsync<AlreadyExistsException>(
                async () => await target.FlushAsync(CancellationToken.None));
        }

        Assert.Equal("theirs", await File.ReadAllTextAsync(_directory["new"]));
        var kept = Assert.Single(Directory.GetFiles(_directory.Path, "new.partial-*"));
        Assert.Equal(8192, new FileInfo(kept).Length);
        Assert.Contains(kept, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void APlaceholderGivesTheNameOnlyWhenItIsFree()
    {
        using (File.Create(_directory["partial"]))
        {
        }

        Assert.True(NewName.TryGiveByPlaceholder(_directory["partial"], _directory["new"]));
        Assert.Equal([_directory["new"]], Directory.GetFiles(_directory.Path));
        using (File.Create(_directory["partial"]))
        {
        }

        Assert.False(NewName.TryGiveByPlaceholder(_directory["partial"], _directory["new"]));
        Assert.True(File.Exists(_directory["partial"]));
        Assert.Throws<PosixException>(() => NewName.TryGiveByPlaceholder(_directory["none"], _directory["other"]));
        Assert.False(File.Exists(_directory["other"]));
    }

    [Fact]
    public async Task ANameOfTheGreatestLengthCanBeWritten()
    {
        var path = _directory[new string('n', 255)];
        await using (var target = Opener.OpenTarget(path, 100, force: false))
        {
            await target.FlushAsync(CancellationToken.None);
        }

        Assert.Equal(100, new FileInfo(path).Length);
    }

    [Fact]
    public async Task ANewFileIsSparse()
    {
        await using (var target = Opener.OpenTarget(_directory["new"], 1L << 40, force: false))
        {
            await target.ZeroAsync(0, 1L << 40, CancellationToken.None);
            await target.FlushAsync(CancellationToken.None);
        }

        var status = FileStatus.Find(_directory["new"], followLink: false);
        Assert.Equal(1L << 40, status!.Value.Size);
        Assert.InRange(status.Value.AllocatedBytes, 0, 1 << 20);
    }

    [Theory]
    [InlineData(100, 8192)]
    [InlineData(8192, 100)]
    [InlineData(8192, 0)]
    public async Task AnExistingFileGetsTheSizeOfTheVersion(int before, int size)
    {
        await File.WriteAllTextAsync(_directory["old"], new string('x', before));
        await using (var target = Opener.OpenTarget(_directory["old"], size, force: true))
        {
            Assert.False(target.IsZeroed);
            await target.FlushAsync(CancellationToken.None);
        }

        var expected = new string('x', Math.Min(before, size)) + new string('\0', Math.Max(0, size - before));
        Assert.Equal(expected, await File.ReadAllTextAsync(_directory["old"]));
    }

    [Fact]
    public async Task AnExistingFileKeepsItsModeAndItsLinks()
    {
        await File.WriteAllTextAsync(_directory["old"], "content");
        File.SetUnixFileMode(_directory["old"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        File.CreateSymbolicLink(_directory["link"], "old");
        await using (var target = Opener.OpenTarget(_directory["link"], 3, force: true))
        {
            await target.FlushAsync(CancellationToken.None);
        }

        Assert.Equal("con", await File.ReadAllTextAsync(_directory["old"]));
        Assert.Equal("old", new FileInfo(_directory["link"]).LinkTarget);
        Assert.True(File.GetUnixFileMode(_directory["old"]).HasFlag(UnixFileMode.GroupRead));
    }

    [Fact]
    public async Task AnExistingFileNeedsForceAndIsLeftAloneWithoutIt()
    {
        await File.WriteAllTextAsync(_directory["old"], "content");
        var error = Assert.Throws<AlreadyExistsException>(() => Opener.OpenTarget(_directory["old"], 1, force: false));
        Assert.Contains("--force", error.Message, StringComparison.Ordinal);
        Assert.Equal("content", await File.ReadAllTextAsync(_directory["old"]));
    }

    [Fact]
    public void WhatIsNoFileIsRefused()
    {
        File.CreateSymbolicLink(_directory["link"], "nothing");
        Assert.Throws<AlreadyExistsException>(() => Opener.OpenTarget(_directory["link"], 1, force: true));
        var error = Assert.Throws<StorageException>(() => Opener.OpenTarget(_directory.Path, 1, force: true));
        Assert.Contains("it is a directory", error.Message, StringComparison.Ordinal);
        Assert.Throws<StorageException>(() => Opener.OpenTarget("/dev/null", 1, force: true));
        error = Assert.Throws<StorageException>(() => Opener.OpenTarget(_directory["none/new"], 1, force: true));
        Assert.Contains("no such file or directory", error.Message, StringComparison.Ordinal);
        Assert.Single(Directory.GetFileSystemEntries(_directory.Path));
    }

    [Fact]
    public void AFileThatCannotBeCreatedIsNamed()
    {
        var error = Assert.Throws<StorageException>(() => FileTarget.Create("/proc/self/new", "'new'", 1));
        Assert.Contains("Cannot write 'new'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASizeThatTheFileSystemRefusesLeavesNothing()
    {
        // Most file systems refuse this size when the file is created; on the others it is removed when disposed.
        try
        {
            await FileTarget.Create(_directory["new"], "'new'", long.MaxValue).DisposeAsync();
        }
        catch (StorageException error)
        {
            Assert.Contains("Cannot write 'new': file too large", error.Message, StringComparison.Ordinal);
        }

        Assert.Empty(Directory.GetFileSystemEntries(_directory.Path));
    }

    [Fact]
    public async Task AlignedMemoryGoesAroundThePageCacheWhereTheFileSystemCan()
    {
        await using var target = FileTarget.Create(_directory["new"], "the file", 8192);
        var pool = new BlockBufferPool(0);
        using var buffer = pool.Rent(8192);
        buffer.Span.Fill(7);
        var canBeDirect = target.IsDirect;
        await target.WriteAsync(0, buffer.Memory, CancellationToken.None);
        Assert.Equal(canBeDirect, target.IsDirect);
    }

    [Fact]
    public async Task TheNullTargetTakesEverything()
    {
        await using var target = Opener.OpenTarget("null:", 5000, force: false);
        await target.WriteAsync(4096, new byte[904], CancellationToken.None);
        await target.ZeroAsync(0, 5000, CancellationToken.None);
        await target.FlushAsync(CancellationToken.None);
        await Assert.ThrowsAsync<InvariantException>(
            async () => await target.WriteAsync(4096, new byte[905], CancellationToken.None));
    }
}
