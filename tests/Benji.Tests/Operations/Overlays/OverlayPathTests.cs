using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Operations.Overlays;
using Benji.Store.Posix;
using Benji.Store.Posix.Paths;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Operations.Overlays;

/// <summary>A path names an overlay only in a mount of this store, whatever attributes the file there has.</summary>
public sealed class OverlayPathTests : IAsyncLifetime
{
    private static readonly Guid Id = Guid.NewGuid();

    private readonly StoreFixture _store = new();
    private ImageEntry _overlay = null!;

    private StorePlace Place => new(_store.CatalogPath, _store["overlays"]);

    public async Task InitializeAsync()
    {
        _store.Images.Set("disk", new byte[100_000]);
        var version = (await _store.BackupAsync("disk", request => request with { Version = "v1" })).Version;
        _overlay = await _store.CreateOverlayAsync(version.Name);
    }

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [Fact]
    public void OnlyAllThreeProofsTogetherCount()
    {
        var mine = Place.FindIdentity();
        Assert.NotNull(mine);
        string?[] fileSystems = [ImageFile.FileSystem, "fuse", "fuse.benji2", "fuse.bindfs", "overlay", "ext4", "nfs4", "", null];
        string?[] ids = [$"{Id:N}", $"{Id}", "disk/v1@fix", "", null];
        string?[] stores = [mine, mine + "0", "0:" + mine, "", null];
        foreach (var fileSystem in fileSystems)
        {
            foreach (var id in ids)
            {
                foreach (var store in stores)
                {
                    if ((fileSystem, id, store) == (fileSystems[0], ids[0], mine))
                    {
                        Assert.Equal(Id, OverlayResolver.Prove("/m/x.img", fileSystem, id, store, Place));
                        continue;
                    }

                    var failure = Assert.Throws<UsageException>(
                        () => OverlayResolver.Prove("/m/x.img", fileSystem, id, store, Place));
                    Assert.StartsWith("/m/x.img is", failure.Message, StringComparison.Ordinal);
                }
            }
        }
    }

    [Fact]
    public void AStoreThatIsGoneIsNoStore()
    {
        var nowhere = Place with { CatalogPath = _store["none.db"] };
        Assert.Null(nowhere.FindIdentity());
        Assert.Throws<UsageException>(
            () => OverlayResolver.Prove("/m/x.img", ImageFile.FileSystem, $"{Id:N}", store: null, nowhere));
    }

    [Fact]
    public async Task AStoreIsTheSameByEveryPathAndACopyIsAnother()
    {
        await _store.CloseAsync();
        File.CreateSymbolicLink(_store["link.db"], _store.CatalogPath);
        File.Copy(_store.CatalogPath, _store["copy.db"]);
        Assert.Equal(Place.FindIdentity(), (Place with { CatalogPath = _store["link.db"] }).FindIdentity());
        Assert.NotEqual(Place.FindIdentity(), (Place with { CatalogPath = _store["copy.db"] }).FindIdentity());
    }

    [Theory]
    [InlineData("{0}/storage")]
    [InlineData("{0}/disk.img")]
    [InlineData("{0}/link.img")]
    [InlineData("/dev/null")]
    [InlineData("/proc/self/exe")]
    public async Task AFileThatIsInNoMountIsRefusedAndNothingChanges(string path)
    {
        path = path.Replace("{0}", _store.DirectoryPath, StringComparison.Ordinal);
        await File.WriteAllTextAsync(_store["disk.img"], "");
        File.CreateSymbolicLink(_store["link.img"], _store["disk.img"]);
        var store = await _store.StoreAsync();
        await Assert.ThrowsAsync<UsageException>(
            () => store.PromoteAsync(new PromoteRequest { Overlay = path }, NoProgress.Instance));
        await Assert.ThrowsAsync<UsageException>(
            () => store.RemoveOverlaysAsync(new OverlayRemoveRequest { Overlays = [_overlay.Name, path], Force = true }));
        Assert.Equal(_overlay.Id, Assert.Single(await _store.ListOverlaysAsync()).Id);
    }

    [Theory]
    [InlineData("{0}/none.img")]
    [InlineData("{0}/catalog.db/none.img")]
    public async Task AFileThatIsNotThereIsNotFound(string path)
    {
        path = path.Replace("{0}", _store.DirectoryPath, StringComparison.Ordinal);
        var store = await _store.StoreAsync();
        await Assert.ThrowsAsync<NotFoundException>(
            () => store.PromoteAsync(new PromoteRequest { Overlay = path }, NoProgress.Instance));
    }

    [Fact]
    public async Task AnIdIsThatOfAnOverlay()
    {
        var store = await _store.StoreAsync();
        Task<ImageEntry> FindAsync(Guid id) => store.Catalog.ReadAsync(
            transaction => OverlayResolver.Resolve(transaction, new NamedOverlay("/m/x.img", id)), CancellationToken.None);
        Assert.Equal(_overlay.Name, (await FindAsync(_overlay.Id)).Name);
        await Assert.ThrowsAsync<UsageException>(() => FindAsync(_overlay.Version.Id));
        await Assert.ThrowsAsync<NotFoundException>(() => FindAsync(Id));
    }

    [Fact]
    public void TheFileSystemOfAFileIsThatOfItsMount()
    {
        using var process = PlacedFile.Find("/proc/self/status");
        Assert.Equal("proc", process.FindFileSystem());
        Assert.Null(process.FindAttribute(ImageFile.IdAttribute, 16));
        using var file = PlacedFile.Find(_store.CatalogPath);
        Assert.NotEqual("proc", file.FindFileSystem());
        Assert.Equal(Errno.NotFound, Assert.Throws<PosixException>(() => PlacedFile.Find(_store["none"])).Errno);
    }
}
