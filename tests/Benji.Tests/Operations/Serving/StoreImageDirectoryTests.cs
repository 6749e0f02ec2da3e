using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Operations.Serving;

public sealed class StoreImageDirectoryTests
{
    private const int Block = 4 * BlockGeometry.FrameSize;

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task AVersionThatIsRemovedStaysReadableUntilItIsClosed()
    {
        await using var store = new StoreFixture();
        var content = RandomNumberGenerator.GetBytes(10 * Block);
        var name = await BackupAsync(store, content);
        var images = (await store.StoreAsync()).OpenImages(cacheBytes: 1);
        var image = await images.OpenVersionAsync((await images.FindAsync(name.ToString(), None))!, None);
        await store.RemoveAsync(name);
        await store.CleanupAsync();
        store.Clock.Advance(TimeSpan.FromHours(2));
        await store.CleanupAsync();
        Assert.Null(await images.FindAsync(name.ToString(), None));
        Same(content, 0, await image.ReadAllAsync());
        Assert.NotEmpty(store.Objects("blocks"));
        await image.DisposeAsync();
        await store.CleanupAsync();
        Assert.Empty(store.Objects("blocks"));
    }

    [Fact]
    public async Task SeveralOpeningsOfOneVersionEndOneByOne()
    {
        await using var store = new StoreFixture();
        var name = await BackupAsync(store, RandomNumberGenerator.GetBytes(Block));
        var images = (await store.StoreAsync()).OpenImages();
        var entry = (await images.FindAsync(name.ToString(), None))!;
        var first = await images.OpenVersionAsync(entry, None);
        var second = await images.OpenVersionAsync(entry, None);
        await first.DisposeAsync();
        await store.RemoveAsync(name);
        await store.CleanupAsync();
        Assert.Equal(Block, (await second.ReadAllAsync()).Length);
        await second.DisposeAsync();
        await store.CleanupAsync();
        Assert.Empty(store.Objects("blocks"));
        await Assert.ThrowsAsync<NotFoundException>(() => images.OpenVersionAsync(entry, None));
    }

    [Fact]
    public async Task LatestIsTheNewestValidVersion()
    {
        await using var store = new StoreFixture();
        var first = await BackupAsync(store, RandomNumberGenerator.GetBytes(Block));
        var second = await BackupAsync(store, RandomNumberGenerator.GetBytes(Block));
        var images = (await store.StoreAsync()).OpenImages();
        Assert.Equal(second, (await images.FindAsync("disk/latest", None))!.Version.Name);
        await store.RemoveAsync(second);
        Assert.Equal(first, (await images.FindAsync("disk/latest", None))!.Version.Name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("disk")]
    [InlineData("disk/")]
    [InlineData("/latest")]
    [InlineData("disk/none")]
    [InlineData("other/latest")]
    [InlineData("../disk/latest")]
    [InlineData("disk/latest/")]
    [InlineData("disk/\0")]
    public async Task AnyTextMayBeAskedFor(string name)
    {
        await using var store = new StoreFixture();
        await BackupAsync(store, new byte[1]);
        Assert.Null(await (await store.StoreAsync()).OpenImages().FindAsync(name, None));
    }

    [Fact]
    public async Task TheGenerationChangesWithTheListing()
    {
        await using var store = new StoreFixture();
        var name = await BackupAsync(store, new byte[1]);
        var images = (await store.StoreAsync()).OpenImages();
        var before = images.ReadGeneration();
        Assert.Equal([name], (await images.ListAsync(null, None)).Select(entry => entry.Version.Name));
        Assert.Equal(before, images.ReadGeneration());
        await BackupAsync(store, new byte[2]);
        Assert.NotEqual(before, images.ReadGeneration());
        Assert.Equal(2, (await images.ListAsync("disk", None)).Count);
        Assert.Empty(await images.ListAsync("other", None));
    }

    private static void Same(byte[] content, int offset, byte[] read) =>
        Assert.True(content.AsSpan(offset, read.Length).SequenceEqual(read));

    private static async Task<VersionName> BackupAsync(StoreFixture store, byte[] content)
    {
        store.Images.Set("disk", content);
        var result = await store.BackupAsync("disk");
        store.Clock.Advance(TimeSpan.FromSeconds(1));
        return result.Version.Name;
    }
}
