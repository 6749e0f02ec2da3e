using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Images;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Images.Versions;

public sealed class VersionExtentTests
{
    private const int Frame = BlockGeometry.FrameSize;

    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData(1, 1000)]
    [InlineData(40 * Frame, 3)]
    [InlineData((901 * Frame) + 77, 1)]
    [InlineData((1200 * Frame) + 1, 1000)]
    public async Task AllocationIsExactToTheFrame(int size, int extentsMax) => await Seeded.RunAsync(async random =>
    {
        await using var store = new StoreFixture();
        var content = FramePattern.Make(random, size);
        await BackupAsync(store, content);
        await using var image = await OpenAsync(store, "disk/latest");
        await CheckAsync(image.Allocation, size, extentsMax, random, offset => FramePattern.HasData(content, offset));
    });

    [Theory]
    [InlineData(1, 1)]
    [InlineData(300 * Frame, 300 * Frame)]
    [InlineData((100 * Frame) + 5, (280 * Frame) + 9)]
    [InlineData((280 * Frame) + 9, (100 * Frame) + 5)]
    public async Task ChangesAreExactToTheFrame(int before, int after) => await Seeded.RunAsync(async random =>
    {
        await using var store = new StoreFixture();
        var old = FramePattern.Make(random, before);
        var since = await BackupAsync(store, old);
        var content = FramePattern.Change(random, old);
        Array.Resize(ref content, after);
        await BackupAsync(store, content);
        var images = (await store.StoreAsync()).OpenImages();
        await using var image = await OpenAsync(images, "disk/latest");
        var changes = await images.FindChangesAsync(image, since, None);

        // Of the frame in which the older one ended, more or less may count as changed.
        await CheckAsync(changes!, after, 1000, random, offset => offset / Frame == before / Frame ? null :
            offset >= before
            || !FramePattern.FrameAt(content, offset).SequenceEqual(FramePattern.FrameAt(old, offset)));
    });

    [Fact]
    public async Task NothingHasChangedSinceTheVersionItself() => await Seeded.RunAsync(async random =>
    {
        await using var store = new StoreFixture();
        var name = await BackupAsync(store, FramePattern.Make(random, 20 * Frame));
        var images = (await store.StoreAsync()).OpenImages();
        await using var image = await OpenAsync(images, name);
        var changes = await images.FindChangesAsync(image, name, None);
        Assert.Equal([new MarkedExtent(0, image.Size, false)], await changes!.ListAsync(0, image.Size));
    });

    [Fact]
    public async Task VersionsThatCannotBeComparedHaveNoChanges()
    {
        await using var store = new StoreFixture();
        await BackupAsync(store, new byte[Frame]);
        var images = (await store.StoreAsync()).OpenImages();
        await using var image = await OpenAsync(images, "disk/latest");
        Assert.Null(await images.FindChangesAsync(image, "disk/other", None));
        Assert.Null(await images.FindChangesAsync(image, "", None));
        Assert.Null(await images.FindChangesAsync(image, "disk/latest", None));
    }

    [Fact]
    public async Task AHoleOfManyTerabytesIsOneExtent()
    {
        await using var store = new StoreFixture { BlockSize = BlockGeometry.BlockSizeMin };
        await BackupAsync(store, new byte[900 * Frame]);
        await using var image = await OpenAsync(store, "disk/latest");
        Assert.Equal([new MarkedExtent(0, image.Size, false)], await image.Allocation.ListAsync(0, image.Size));
    }

    private static async Task CheckAsync(
        IExtentMap map, long size, int extentsMax, Random random, Func<long, bool?> isMarked)
    {
        for (var round = 0; round < 4; round++)
        {
            var offset = round == 0 ? 0 : random.NextInt64(size);
            var length = round == 0 ? size : random.NextInt64(size - offset) + 1;
            var extents = await map.ListAsync(offset, length, extentsMax);
            Assert.Equal(offset, extents[0].Offset);
            Assert.Equal(offset + length, extents[^1].End);
            Assert.All(extents.Zip(extents.Skip(1)), pair => Assert.Equal(pair.First.End, pair.Second.Offset));
            for (var i = 0; i < extents.Count; i++)
            {
                for (var at = extents[i].Offset; at < extents[i].End; at = ((at / Frame) + 1) * Frame)
                {
                    Assert.Equal(isMarked(at) ?? extents[i].IsMarked, extents[i].IsMarked);
                }
            }
        }
    }

    private static async Task<string> BackupAsync(StoreFixture store, byte[] content)
    {
        store.Images.Set("disk", content);
        var result = await store.BackupAsync("disk");
        store.Clock.Advance(TimeSpan.FromSeconds(1));
        return result.Version.Name.ToString();
    }

    private static async Task<IImage> OpenAsync(StoreFixture store, string name) =>
        await OpenAsync((await store.StoreAsync()).OpenImages(), name);

    private static async Task<IImage> OpenAsync(IImageDirectory images, string name) =>
        await images.OpenVersionAsync((await images.FindAsync(name, None))!, None);
}
