using System.Diagnostics;
using Benji.Store.Model;
using Benji.Store.Posix;
using Benji.Store.Storages;
using Benji.Store.Storages.Files;
using Xunit;

namespace Benji.Tests.Storages.Files;

public sealed class FileStorageTests : StorageContract
{
    private string Spare => Path.Combine(Root, ".tmp", "spare");

    internal override IStorage CreateStorage() => Open();

    [Fact]
    public async Task FilesAndDirectoriesAreForTheirOwnerOnly()
    {
        await PutAllAsync("a/b/put");
        await Storage.TryCreateAsync(Name("c/created"), Bytes(1, 5000), None);
        using var buffer = Pool.Rent(8192);
        await Storage.PutAsync(Name("c/direct"), buffer.Memory, None);
        foreach (var path in Directory.EnumerateFileSystemEntries(Root, "*", SearchOption.AllDirectories).Append(Root))
        {
            var expected = Directory.Exists(path) ? PosixDirectory.PrivateMode : PosixFile.PrivateMode;
            Assert.Equal((path, expected), (path, ModeOf(path)));
        }
    }

    [Fact]
    public async Task AnObjectIsAFileUnderItsName()
    {
        await Storage.PutAsync(Name("blocks/ab/cd/x.d"), Bytes(1, 100), None);
        Assert.Equal(Bytes(1, 100), await File.ReadAllBytesAsync(Path.Combine(Root, "blocks/ab/cd/x.d")));
    }

    [Fact]
    public async Task NoTemporaryFileIsLeftBehind()
    {
        await PutAllAsync("a/b", "c");
        await Storage.TryCreateAsync(Name("c"), Bytes(1, 1), None);
        await Storage.TryCreateAsync(Name("d"), Bytes(1, 1), None);
        await using (var batch = Storage.StartBatch())
        {
            await batch.AddAsync(Name("x"), Bytes(1, 1), None);
            await batch.AddAsync(Name("x"), Bytes(2, 1), None);
        }

        var unfinished = Assert.Single(Directory.GetDirectories(Path.Combine(Root, ".tmp")));
        Assert.Empty(Directory.GetFileSystemEntries(unfinished));
        await Storage.DisposeAsync();
        Assert.Equal([Spare], Directory.GetFileSystemEntries(Path.Combine(Root, ".tmp")));
    }

    [Fact]
    public async Task WhatADeadRunLeftIsClearedAndWhatALiveOneWritesIsNot()
    {
        var all = Path.Combine(Root, ".tmp");
        var dead = Path.Combine(all, "0123456789abcdef0123456789abcdef");
        Directory.CreateDirectory(dead);
        await File.WriteAllTextAsync(Path.Combine(dead, "7"), "unfinished");
        await File.WriteAllTextAsync(dead + ".lock", "");
        await using var live = Open();
        await using var batch = live.StartBatch();
        await batch.AddAsync(Name("live"), Bytes(1, 100), None);
        Assert.False(Directory.Exists(dead));
        Assert.False(File.Exists(dead + ".lock"));

        await PutAllAsync("other");
        await batch.CommitAsync(None);
        Assert.Equal(["live", "other"], await ListAsync(""));
    }

    [Fact]
    public async Task OpeningAndReadingWritesNothing()
    {
        await PutAllAsync("a");
        await Storage.DisposeAsync();
        var before = Directory.GetLastWriteTimeUtc(Path.Combine(Root, ".tmp"));
        await using var reader = Open();
        Assert.NotNull(await reader.FindAsync(Name("a"), None));
        Assert.Equal(10, await reader.ReadAsync(Name("a"), 0, new byte[20], None));
        Assert.Equal(before, Directory.GetLastWriteTimeUtc(Path.Combine(Root, ".tmp")));
        Assert.Equal([Spare], Directory.GetFileSystemEntries(Path.Combine(Root, ".tmp")));
    }

    [Fact]
    public async Task AListingPassesOverWhatIsNoObject()
    {
        await PutAllAsync("a/b");
        await File.WriteAllTextAsync(Path.Combine(Root, ".hidden"), "x");
        await File.WriteAllTextAsync(Path.Combine(Root, "a", "white space"), "x");
        await File.WriteAllTextAsync(Path.Combine(Root, "a", "ümlaut"), "x");
        Directory.CreateDirectory(Path.Combine(Root, "empty"));
        Assert.Equal(["a/b"], await ListAsync(""));
        Assert.Equal(["a/", "empty/"], await StrangersAsync(""));
    }

    [Fact]
    public async Task APipeDoesNotHoldUpAReader()
    {
        using var made = Process.Start("mkfifo", [Path.Combine(Root, "pipe")]);
        await made.WaitForExitAsync();
        await Assert.ThrowsAsync<StorageException>(
            async () => await Storage.ReadAsync(Name("pipe"), 0, new byte[1], None));
    }

    [Fact]
    public async Task ADirectoryRemovedBehindOurBackIsMadeAgain()
    {
        await PutAllAsync("a/b/1");
        Directory.Delete(Path.Combine(Root, "a"), recursive: true);
        await PutAllAsync("a/b/2");
        Assert.True(await Storage.TryCreateAsync(Name("a/c/3"), Bytes(1, 10), None));
        Assert.Equal(["a/b/2", "a/c/3"], await ListAsync(""));
    }

    [Fact]
    public async Task AnObjectInTheWayOfADirectoryIsAClearError()
    {
        await PutAllAsync("a");
        var failure = await Assert.ThrowsAsync<StorageException>(
            () => Storage.PutAsync(Name("a/b"), Bytes(1, 10), None));
        Assert.Contains("not a directory", failure.Message, StringComparison.Ordinal);
        Assert.Contains(Root, failure.Message, StringComparison.Ordinal);
        Assert.False(failure.IsTransient);
        await PutAllAsync("c/d");
        await Assert.ThrowsAsync<StorageException>(() => Storage.PutAsync(Name("c"), Bytes(1, 10), None));
        Assert.Equal(["a", "c/d"], await ListAsync(""));
        Assert.Empty(Directory.GetFileSystemEntries(Directory.GetDirectories(Path.Combine(Root, ".tmp"))[0]));
    }

    [Fact]
    public async Task AMissingDirectoryIsAConfigurationErrorUnlessItIsToBeCreated()
    {
        var path = Scratch["one/two"];
        var failure = Assert.Throws<ConfigurationException>(() => new FileStorage(new() { Path = path }));
        Assert.Contains(path, failure.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Scratch["one"]));
        await using var created = new FileStorage(new() { Path = path, Create = true });
        Assert.Equal(path, created.Traits.Description);
        Assert.Equal(PosixDirectory.PrivateMode, ModeOf(Scratch["one"]));
    }

    [Fact]
    public async Task AFileInPlaceOfTheDirectoryIsAConfigurationError()
    {
        await File.WriteAllTextAsync(Scratch["file"], "x");
        Assert.Throws<ConfigurationException>(
            () => new FileStorage(new() { Path = Scratch["file"], Create = true }));
        Assert.Throws<StorageException>(
            () => new FileStorage(new() { Path = Scratch["file/below"], Create = true }));
    }

    private static UnixFileMode ModeOf(string path) => FileStatus.Find(path, followLink: false)!.Value.Mode;

    private FileStorage Open() => new(new FileStorageOptions { Path = Root, Create = true });
}

public sealed class FileStorageBatchTests : StorageBatchContract
{
    internal override IStorage CreateStorage() => new FileStorage(new() { Path = Root, Create = true });
}

public sealed class FileStorageListingTests : StorageListingContract
{
    internal override IStorage CreateStorage() => new FileStorage(new() { Path = Root, Create = true });
}
