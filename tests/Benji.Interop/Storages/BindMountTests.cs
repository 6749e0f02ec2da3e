using Benji.Interop.Sources;
using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Sources;
using Benji.Store.Storages;
using Benji.Store.Storages.Files;
using Benji.Testing;
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

        // Temporary files are on the storage's own file system, and a rename does not leave it.
        await File.WriteAllBytesAsync(_directory["disk2/vm@a/v1"], new byte[20]);
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
        File.WriteAllBytes(_directory["home/storage/blocks/1"], new byte[1 << 20]);
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
