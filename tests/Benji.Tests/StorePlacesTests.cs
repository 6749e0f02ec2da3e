using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Sources;
using Benji.Testing;
using Xunit;

namespace Benji.Tests;

/// <summary>Asks of paths of every kind whether they lead into a store; bind mounts and devices are tried in
/// <c>Benji.Interop</c>.</summary>
public sealed class StorePlacesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly StoreOptions _options;

    public StorePlacesTests()
    {
        _options = new StoreOptions
        {
            CatalogPath = _directory["home/catalog.db"],
            OverlayDirectory = _directory["home/overlays"],
            Storages = [Storage("one", "home/storage"), Storage("two", "second")],
            DefaultStorage = "one",
            Sources = new SourceOpener(IoOptions.Default),
        };
        foreach (var file in new[]
        {
            "home/catalog.db", "home/catalog.wal", "home/catalog.owners/1.lock", "home/storage/store.json", "home/storage/.tmp/spare",
            "home/storage/blocks/ab/cd/1", "home/overlays/1.overlay", "second/store.json", "elsewhere/disk.img",
        })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_directory[file])!);
            File.WriteAllText(_directory[file], file);
        }
    }

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("home/storage", "storage 'one'")]
    [InlineData("home/storage/", "storage 'one'")]
    [InlineData("home/storage/store.json", "storage 'one'")]
    [InlineData("home/storage/blocks/ab/cd/1", "storage 'one'")]
    [InlineData("home/storage/.tmp/spare", "storage 'one'")]
    [InlineData("home/storage/new.img", "storage 'one'")]
    [InlineData("home/storage/new/and/deep.img", "storage 'one'")]
    [InlineData("home/./storage//blocks/../new.img", "storage 'one'")]
    [InlineData("elsewhere/../home/storage/new.img", "storage 'one'")]
    [InlineData("missing/../home/storage/new.img", "storage 'one'")]
    [InlineData("second/x", "storage 'two'")]
    [InlineData("home/overlays/1.overlay", "the directory of overlays")]
    [InlineData("home/overlays/new.log", "the directory of overlays")]
    [InlineData("home/catalog.db", "the catalog")]
    [InlineData("home/catalog.wal", "the catalog")]
    [InlineData("home/catalog.new", "the catalog")]
    [InlineData("home/catalog.owners/1.lock", "the catalog")]
    [InlineData("home/catalog.owners/new.lock", "the catalog")]
    public void APathInTheStoreIsRefused(string path, string place) => AssertRefused(_directory[path], place);

    [Theory]
    [InlineData("home/disk.img")]
    [InlineData("home/catalogue.img")]
    [InlineData("home/storage.img")]
    [InlineData("home/storage-2/disk.img")]
    [InlineData("home/storage/../disk.img")]
    [InlineData("elsewhere/catalog.wal")]
    [InlineData("elsewhere/disk.img")]
    [InlineData("elsewhere/new.img")]
    [InlineData("missing/new.img")]
    public void APathBesideTheStoreIsNot(string path) => _options.Places.RequireOutside(_directory[path], "The target");

    [Theory]
    [InlineData("home/storage", "link/new.img", "storage 'one'")]
    [InlineData("home/storage/blocks", "link/ab/cd/1", "storage 'one'")]
    [InlineData("home/storage/store.json", "link", "storage 'one'")]
    [InlineData("home/storage/new.img", "link", "storage 'one'")]
    [InlineData("home/storage/blocks", "link/../new.img", "storage 'one'")]
    [InlineData("home/catalog.wal", "link", "the catalog")]
    [InlineData("home", "link/catalog.wal", "the catalog")]
    [InlineData("home", "link/catalog.new", "the catalog")]
    [InlineData("home", "link/overlays/1.overlay", "the directory of overlays")]
    public void ALinkIsFollowedToWhereItLeads(string target, string path, string place)
    {
        File.CreateSymbolicLink(_directory["link"], _directory[target]);
        File.CreateSymbolicLink(_directory["elsewhere/relative"], "../link");
        AssertRefused(_directory[path], place);
        AssertRefused(_directory["elsewhere/" + path.Replace("link", "relative", StringComparison.Ordinal)], place);
    }

    [Fact]
    public void APlaceThatIsItselfALinkIsKnownByBothPaths()
    {
        Directory.Move(_directory["second"], _directory["moved"]);
        Directory.CreateSymbolicLink(_directory["second"], _directory["moved"]);
        AssertRefused(_directory["moved/store.json"], "storage 'two'");
        AssertRefused(_directory["second/new"], "storage 'two'");
    }

    [Theory]
    [InlineData("home/storage/blocks/ab/cd/1", "storage 'one'")]
    [InlineData("home/storage/.tmp/spare", "storage 'one'")]
    [InlineData("home/overlays/1.overlay", "the directory of overlays")]
    [InlineData("home/catalog.db", "the catalog")]
    [InlineData("home/catalog.wal", "the catalog")]
    public void AnotherNameOfAFileOfTheStoreIsRefused(string file, string place)
    {
        HardLink.Make(_directory[file], _directory["elsewhere/other.img"]);
        AssertRefused(_directory["elsewhere/other.img"], place);
        Assert.Equal(file, File.ReadAllText(_directory[file]));
    }

    [Fact]
    public void AFileWithSeveralNamesElsewhereIsNot()
    {
        HardLink.Make(_directory["elsewhere/disk.img"], _directory["elsewhere/other.img"]);
        _options.Places.RequireOutside(_directory["elsewhere/other.img"], "The target");
    }

    [Fact]
    public void AStoreThatIsNotThereYetHasItsPlacesAlready()
    {
        Directory.Delete(_directory["home"], recursive: true);
        AssertRefused(_directory["home/storage/x"], "storage 'one'");
        AssertRefused(_directory["home/catalog.db"], "the catalog");
        _options.Places.RequireOutside(_directory["home/x"], "The target");
    }

    [Fact]
    public void PlacesBesideOneAnotherAreApart()
    {
        _options.Places.RequireApart();
        (_options with { OverlayDirectory = _directory["home"], Storages = [Storage("two", "second")] }).Places.RequireApart();
    }

    [Theory]
    [InlineData("home/storage")]
    [InlineData("home/storage/blocks")]
    [InlineData("home/storage/new/deep")]
    [InlineData("home")]
    [InlineData("link")]
    [InlineData("link/blocks")]
    [InlineData("elsewhere/../home/storage")]
    public void AStorageInAnotherOrOverOneIsRefused(string path)
    {
        Directory.CreateSymbolicLink(_directory["link"], _directory["home/storage"]);
        AssertNotApart(_options with { Storages = [Storage("one", "home/storage"), Storage("two", path)] });
    }

    [Theory]
    [InlineData("home/storage")]
    [InlineData("home/storage/overlays")]
    [InlineData("second/x")]
    [InlineData("home")]
    public void OverlaysInAStorageOrOverOneAreRefused(string path) =>
        AssertNotApart(_options with { OverlayDirectory = _directory[path] });

    [Theory]
    [InlineData("home/storage/catalog.db")]
    [InlineData("second/deep/catalog.db")]
    public void ACatalogInAStorageIsRefused(string path) => AssertNotApart(_options with { CatalogPath = _directory[path] });

    private StorageOptions Storage(string name, string path) => new() { Name = name, Path = _directory[path] };

    private void AssertRefused(string path, string place)
    {
        var refusal = Assert.Throws<NotAllowedException>(() => _options.Places.RequireOutside(path, "The target"));
        Assert.Contains($"The target {path} lies in {place}", refusal.Message, StringComparison.Ordinal);
    }

    private static void AssertNotApart(StoreOptions options)
    {
        var refusal = Assert.Throws<NotAllowedException>(options.Places.RequireApart);
        Assert.Contains("lies in", refusal.Message, StringComparison.Ordinal);
    }
}
