using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Store.Storages.Files;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Storages.Files;

/// <summary>Puts symbolic links into a storage: every call that would have to follow one is refused by the link's name, and
/// what they lead to stays as it is.</summary>
public abstract class StorageLinksContract : StorageContractBase
{
    private const string Dead = ".tmp/0123456789abcdef0123456789abcdef";

    private readonly TemporaryDirectory _outside = new();

    /// <summary>False for a kernel that has no openat2.</summary>
    protected abstract bool MayOpenInOneCall { get; }

    internal override IStorage CreateStorage() => new FileStorage(new FileStorageOptions
    {
        Path = Root,
        Create = true,
        MayOpenInOneCall = MayOpenInOneCall,
    });

    protected override void Dispose(bool disposing)
    {
        _outside.Dispose();
        base.Dispose(disposing);
    }

    [Theory]
    [InlineData("versions")]
    [InlineData("versions/vm@a")]
    [InlineData("versions/vm@a/v1")]
    public async Task ALinkIsRefusedByEveryCallThatMeetsIt(string link)
    {
        foreach (var kind in Enum.GetValues<LinkKind>())
        {
            await PutAllAsync("versions/vm@a/v1", "versions/vm@b/v2");
            var unlink = Plant(link, kind);
            var before = FolderSnapshot.Take(_outside.Path);
            foreach (var (call, run) in Calls(Name("versions/vm@a/v1")))
            {
                var refusal = await Assert.ThrowsAsync<ConfigurationException>(run);
                Assert.Contains(Path.Combine(Root, link) + " is a symbolic link", refusal.Message, StringComparison.Ordinal);
                Assert.Contains("bind mount", refusal.Message, StringComparison.Ordinal);
                Assert.Equal((call, before), (call, FolderSnapshot.Take(_outside.Path)));
                Assert.NotNull(new FileInfo(Path.Combine(Root, link)).LinkTarget);
            }

            unlink();
            Assert.Equal(["versions/vm@a/v1", "versions/vm@b/v2"], await ListAsync("versions/"));
        }
    }

    [Fact]
    public async Task WhatALinkDoesNotStandInTheWayOfGoesOn()
    {
        await PutAllAsync("versions/vm@a/v1", "versions/vm@b/v2");
        Plant("versions/vm@a", LinkKind.ToTheSame);
        await PutAllAsync("versions/vm@b/v3", "blocks/ab/cd/1");
        Assert.Equal(10, (await ReadAllAsync(Name("versions/vm@b/v2"))).Length);
        Assert.Equal(["blocks/ab/cd/1"], await ListAsync("blocks/"));
        await Storage.DeleteAsync([Name("versions/vm@b/v2")], None);
        Assert.Equal(["versions/vm@b/v3"], await ListAsync("versions/vm@b/"));
    }

    [Fact]
    public async Task TheDirectoryItselfMayBeALink()
    {
        await PutAllAsync("a/b");
        Directory.CreateSymbolicLink(Scratch["way"], Scratch.Path);
        Directory.CreateSymbolicLink(Scratch["link"], Scratch["way/storage"]);
        await using var storage = new FileStorage(new FileStorageOptions { Path = Scratch["link"] });
        await storage.PutAsync(Name("a/c"), Bytes(1, 10), None);
        Assert.Equal(["a/b", "a/c"], await ListAsync(""));
    }

    [Fact]
    public async Task ALinkPlantedBesideALockDeletesNothing()
    {
        await PutAllAsync("a");
        await File.WriteAllTextAsync(_outside["1"], "precious");
        await File.WriteAllTextAsync(_outside["precious"], "precious");
        Directory.CreateSymbolicLink(Path.Combine(Root, Dead), _outside.Path);
        await File.WriteAllTextAsync(Path.Combine(Root, Dead + ".lock"), "");
        var before = FolderSnapshot.Take(_outside.Path);
        await using (var storage = CreateStorage())
        {
            await storage.PutAsync(Name("b"), Bytes(1, 10), None);
        }

        Assert.Equal(before, FolderSnapshot.Take(_outside.Path));
        Assert.NotNull(new FileInfo(Path.Combine(Root, Dead)).LinkTarget);
    }

    [Fact]
    public async Task ALockThatIsALinkIsNobodysRun()
    {
        await PutAllAsync("a");
        await File.WriteAllTextAsync(_outside["file"], "precious");
        Directory.CreateDirectory(Path.Combine(Root, Dead));
        await File.WriteAllTextAsync(Path.Combine(Root, Dead, "1"), "unfinished");
        File.CreateSymbolicLink(Path.Combine(Root, Dead + ".lock"), _outside["file"]);
        await using (var storage = CreateStorage())
        {
            await storage.PutAsync(Name("b"), Bytes(1, 10), None);
        }

        Assert.Equal("precious", await File.ReadAllTextAsync(_outside["file"]));
        Assert.True(File.Exists(Path.Combine(Root, Dead, "1")));
    }

    [Fact]
    public async Task OnlyWhatARunMakesIsClearedFromADeadOne()
    {
        await PutAllAsync("a");
        Directory.CreateDirectory(Path.Combine(Root, Dead, "sub"));
        foreach (var name in new[] { Dead + "/1", Dead + "/notes", Dead + "/sub/2", ".tmp/mine.lock", Dead + ".lock" })
        {
            await File.WriteAllTextAsync(Path.Combine(Root, name), "");
        }

        Directory.CreateDirectory(Path.Combine(Root, ".tmp/mine"));
        await File.WriteAllTextAsync(Path.Combine(Root, ".tmp/mine/1"), "");
        File.CreateSymbolicLink(Path.Combine(Root, Dead, "3"), _outside["missing"]);
        await using (var storage = CreateStorage())
        {
            await storage.PutAsync(Name("b"), Bytes(1, 10), None);
        }

        Assert.False(File.Exists(Path.Combine(Root, Dead, "1")));
        foreach (var name in new[] { Dead + "/notes", Dead + "/sub/2", ".tmp/mine.lock", ".tmp/mine/1", Dead + ".lock" })
        {
            Assert.True(File.Exists(Path.Combine(Root, name)), name);
        }

        Assert.NotNull(new FileInfo(Path.Combine(Root, Dead, "3")).LinkTarget);
    }

    [Fact]
    public async Task ATemporaryDirectoryThatIsALinkIsRefused()
    {
        Directory.CreateDirectory(Root);
        Directory.CreateSymbolicLink(Path.Combine(Root, ".tmp"), _outside.Path);
        var refusal = await Assert.ThrowsAsync<ConfigurationException>(() => PutAllAsync("a"));
        Assert.Contains(Path.Combine(Root, ".tmp") + " is a symbolic link", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_outside.Path));
    }

    [Fact]
    public void ASpareWithAnotherNameIsNotWrittenOver()
    {
        Directory.CreateDirectory(Path.Combine(Root, ".tmp"));
        File.WriteAllText(_outside["file"], "precious");
        HardLink.Make(_outside["file"], Path.Combine(Root, ".tmp/spare"));
        using var root = new Store.Posix.Directories.RootDirectory(Root, MayOpenInOneCall);
        var files = new PosixObjectFiles(root);
        Assert.Null(files.TryOverwrite(".tmp/spare", Bytes(1, 15)));
        Assert.Equal("precious", File.ReadAllText(_outside["file"]));
    }

    [Fact]
    public async Task WhatIsNoObjectIsListedAsAStranger()
    {
        await PutAllAsync("a/b/1");
        Directory.CreateDirectory(Path.Combine(Root, "a", "empty"));
        using var made = System.Diagnostics.Process.Start("mkfifo", [Path.Combine(Root, "a", "pipe")]);
        await made.WaitForExitAsync();
        Assert.Equal(["a/b/", "a/empty/", "a/pipe"], await StrangersAsync("a/"));
        Assert.Equal(["a/b/1"], await ListAsync("a/"));
    }

    private Dictionary<string, Func<Task>> Calls(ObjectName name) => new()
    {
        ["find"] = async () => await Storage.FindAsync(name, None),
        ["read"] = async () => await Storage.ReadAsync(name, 0, new byte[10], None),
        ["list"] = () => ListAsync("versions/"),
        ["list strangers"] = () => StrangersAsync("versions/"),
        ["put"] = () => Storage.PutAsync(name, Bytes(1, 5), None),
        ["create"] = () => Storage.TryCreateAsync(name, Bytes(1, 5), None),
        ["delete"] = () => Storage.DeleteAsync([name], None),
        ["compared delete"] = () => Storage.TryDeleteAsync(name, Bytes(1, 10), None),
        ["batch"] = async () =>
        {
            await using var batch = Storage.StartBatch();
            await batch.AddNewAsync(name, Bytes(1, 5), None);
            await batch.CommitAsync(None);
        },
    };

    // Moves what is there away, and puts a link in its place; the result puts it back.
    private Action Plant(string name, LinkKind kind)
    {
        var path = Path.Combine(Root, name);
        var moved = _outside[Path.GetFileName(name)];
        Directory.Move(path, moved);
        File.CreateSymbolicLink(path, kind switch
        {
            LinkKind.ToTheSame => moved,
            LinkKind.Inside => Path.Combine(Root, "versions", "vm@b"),
            LinkKind.Dangling => _outside["missing"],
            _ => path,
        });
        return () =>
        {
            File.Delete(path);
            Directory.Move(moved, path);
        };
    }

    private enum LinkKind
    {
        ToTheSame,
        Inside,
        Dangling,
        ToItself,
    }
}

public sealed class StorageLinksTests : StorageLinksContract
{
    protected override bool MayOpenInOneCall => true;
}

public sealed class StorageLinksStepByStepTests : StorageLinksContract
{
    protected override bool MayOpenInOneCall => false;
}

public sealed class FileStorageStepByStepTests : StorageContract
{
    internal override IStorage CreateStorage() =>
        new FileStorage(new FileStorageOptions { Path = Root, Create = true, MayOpenInOneCall = false });
}
