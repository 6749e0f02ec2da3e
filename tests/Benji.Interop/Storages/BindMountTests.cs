using Benji.Interop.Sources;
using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Sources;
using Benji.Store.Storages;
using Benji.Store.Storages.Files;
using Benji.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Interop.Storages;

/// <summary>Mounts parts of a store elsewhere and other directories into it. Needs root.</summary>
public sealed class BindMountTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Stack<string> _mounts = new();

    private StorePlaces Places => new StoreOptions
    {
        CatalogPath = _directory["home/catalog.db"],
        OverlayDirectory = _directory["home/overlays"],
        Storages = [new StorageOptions { Name = "one", Path = _directory["home/storage"] }],
        DefaultStorage = "one",
        Sources = new SourceOpener(IoOptions.Default),
    }.Places;

    public void Dispose()
    {
        while (_mounts.TryPop(out var path))
        {
            LoopDevice.Run("umount", path);
        }

        _directory.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ABindMountInAStorageIsEntered(bool mayOpenInOneCall)
    {
        Make("disk2/vm@a", "home/storage/versions/vm@a");
        Bind("disk2/vm@a", "home/storage/versions/vm@a");
        await using var storage = new FileStorage(new FileStorageOptions
        {
            Path = _directory["home/storage"],
            MayOpenInOneCall = mayOpenInOneCall,
        });
        var (inside, beside) = (new ObjectName("versions/vm@a/v1"), new ObjectName("versions/vm@b/v2"));
        await storage.TryCreateAsync(beside, new byte[10], CancellationToken.None);
        Assert.True(await storage.TryCreateAsync(inside, new byte[10], CancellationToken.None));
        Assert.False(await storage.TryCreateAsync(inside, new byte[15], CancellationToken.None));
        Assert.Equal(10, (await storage.FindAsync(inside, CancellationToken.None))!.Value.Size);
        await storage.PutAsync(inside, new byte[20], CancellationToken.None);
        Assert.Equal([_directory["disk2/vm@a/v1"]], Directory.GetFiles(_directory["disk2/vm@a"]));
        Assert.Equal(20, (await storage.FindAsync(inside, CancellationToken.None))!.Value.Size);
        Assert.Equal(20, await storage.ReadAsync(inside, 0, new byte[100], CancellationToken.None));
        var names = new List<string>();
        await foreach (var info in storage.ListAsync("versions/", CancellationToken.None))
        {
            names.Add(info.Name.Value);
        }

        Assert.Equal([inside.Value, beside.Value], names.Order(StringComparer.Ordinal));
        await storage.DeleteAsync([inside], CancellationToken.None);
        Assert.False(File.Exists(_directory["disk2/vm@a/v1"]));
        var unfinished = Directory.GetDirectories(_directory["home/storage/.tmp"]);
        Assert.Empty(unfinished.SelectMany(Directory.GetFileSystemEntries));
    }

    [Fact]
    public async Task WhatADeadRunLeftOnAnotherMountIsDeletedWhenItIsOld()
    {
        Make("disk2", "home/storage/blocks");
        Bind("disk2", "home/storage/blocks");
        var old = new[] { ".0123456789abcdef0123456789abcdef.tmp", ".notes.tmp", "0123456789abcdef0123456789abcdef.tmp" };
        foreach (var name in old)
        {
            await File.WriteAllTextAsync(_directory["disk2/" + name], "x");
            File.SetLastWriteTimeUtc(_directory["disk2/" + name], TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-2));
        }

        await File.WriteAllTextAsync(_directory["disk2/.1123456789abcdef0123456789abcdef.tmp"], "of a run that lives");
        await using var storage = new FileStorage(new FileStorageOptions { Path = _directory["home/storage"] });
        await storage.PutAsync(new ObjectName("blocks/1"), new byte[10], CancellationToken.None);
        Assert.Equal(
            new[] { ".1123456789abcdef0123456789abcdef.tmp", old[1], old[2], "1" }.Order(StringComparer.Ordinal),
            Directory.GetFiles(_directory["disk2"]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task AStoreWithItsPartsOnOtherDisksWorks()
    {
        await using var store = new StoreFixture();
        using var device = new LoopDevice(new byte[64 << 20]);
        LoopDevice.Run("mkfs.ext4", "-q", "-F", device.Path);
        Make("disk");
        LoopDevice.Run("mount", device.Path, _directory["disk"]);
        _mounts.Push(_directory["disk"]);
        var expected = new Dictionary<VersionName, byte[]>();
        await BackUpAsync(1);
        await store.CloseAsync();
        foreach (var part in new[] { "versions/vm@a", "blocks" })
        {
            // Instead of what would be a link.
            var path = Path.Combine(store.StoragePath, part);
            Make($"disk/{Path.GetFileName(part)}");
            LoopDevice.Run("cp", "-a", path + "/.", _directory[$"disk/{Path.GetFileName(part)}"]);
            Directory.Delete(path, recursive: true);
            Directory.CreateDirectory(path);
            LoopDevice.Run("mount", "--bind", _directory[$"disk/{Path.GetFileName(part)}"], path);
            _mounts.Push(path);
        }

        await BackUpAsync(2);
        await store.CloseAsync();
        var rebuilt = await BenjiStore.RebuildAsync(
            store.Options, new RebuildRequest { Force = true }, NullLoggerFactory.Instance, store.Clock, NoProgress.Instance);
        Assert.Equal((2L, 0), (rebuilt.Versions, rebuilt.Problems.Count));
        await BackUpAsync(3);
        await FourChecks.RunAsync(store, expected);
        await store.CloseAsync();
        while (_mounts.TryPop(out var path))
        {
            LoopDevice.Run("umount", path);
        }

        async Task BackUpAsync(int seed)
        {
            var content = new byte[3_000_000];
            new Random(seed).NextBytes(content);
            store.Images.Set("vm/a", content);
            store.Clock.Advance(TimeSpan.FromMinutes(1));
            expected.Add((await store.BackupAsync("vm/a")).Version.Name, content);
        }
    }

    [Fact]
    public void APathIsRefusedByWhateverMountItIsSeen()
    {
        Make("home/storage/blocks/ab", "home/overlays", "all", "part", "mirror", "disk2", "home/storage/versions/vm@a", "tmp");
        File.WriteAllText(_directory["home/catalog.wal"], "x");
        File.WriteAllText(_directory["file"], "");
        Bind("home/storage", "all");
        Bind("home/storage/blocks", "part");
        Bind("home", "mirror");
        Bind("disk2", "home/storage/versions/vm@a");
        Bind("home/catalog.wal", "file");
        foreach (var path in new[]
        {
            "all/x", "all/blocks/x", "part/x", "part/ab/x", "mirror/storage/x", "mirror/overlays/x", "mirror/catalog.new",
            "mirror/catalog.wal", "disk2/x", "home/storage/versions/vm@a/x", "file",
        })
        {
            Assert.Throws<NotAllowedException>(() => Places.RequireOutside(_directory[path], path));
        }

        Places.RequireOutside(_directory["tmp/x"], "The target");
        Places.RequireOutside(_directory["mirror/x"], "The target");
    }

    [Fact]
    public void PlacesThatAreOneByAMountAreNotApart()
    {
        Make("home/storage", "home/overlays", "elsewhere");
        Places.RequireApart();
        Bind("home/storage", "home/overlays");
        Assert.Throws<NotAllowedException>(Places.RequireApart);
    }

    [Fact]
    public void ADeviceOrImageThatHoldsTheStoreIsRefused()
    {
        using var device = new LoopDevice(new byte[32 << 20]);
        using var other = new LoopDevice(new byte[1 << 20]);
        LoopDevice.Run("mkfs.ext4", "-q", "-F", device.Path);
        Make("home");
        LoopDevice.Run("mount", device.Path, _directory["home"]);
        _mounts.Push(_directory["home"]);
        Make("home/storage");
        foreach (var path in new[] { device.Path, device.Directory["backing"] })
        {
            var refusal = Assert.Throws<NotAllowedException>(() => Places.RequireOutside(path, "The target"));
            Assert.Contains("storage 'one'", refusal.Message, StringComparison.Ordinal);
        }

        Places.RequireOutside(other.Path, "The target");
        Places.RequireOutside(other.Directory["backing"], "The target");
    }

    [Fact]
    public void ALoopDeviceOnAnObjectIsRefused()
    {
        Make("home/storage/blocks");
        using (var file = File.Create(_directory["home/storage/blocks/1"]))
        {
            file.SetLength(1 << 20);
        }

        var device = LoopDevice.Run("losetup", "--find", "--show", _directory["home/storage/blocks/1"]).Trim();
        try
        {
            Assert.Throws<NotAllowedException>(() => Places.RequireOutside(device, "The target"));
        }
        finally
        {
            LoopDevice.Run("losetup", "--detach", device);
        }
    }

    private void Make(params string[] directories)
    {
        foreach (var path in directories)
        {
            Directory.CreateDirectory(_directory[path]);
        }
    }

    private void Bind(string source, string target)
    {
        LoopDevice.Run("mount", "--bind", _directory[source], _directory[target]);
        _mounts.Push(_directory[target]);
    }
}
