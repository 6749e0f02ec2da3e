using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Operations;

public sealed class ScrubTests
{
    private const int Frame = BlockGeometry.FrameSize;
    private const int Block = 4 * Frame;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AMissingObjectIsFoundAndEveryVersionThatUsesItIsMarked(bool isDeep)
    {
        await using var store = new StoreFixture();
        var (content, first, second) = await TwoVersionsAsync(store);
        File.Delete(Path.Combine(store.StoragePath, store.Objects("blocks")[0]));
        var result = await ScrubAsync(store, first.Version.Name, isDeep);
        var damage = Assert.Single(result.Damage);
        Assert.Equal(Block, damage.Length);
        Assert.Equal(VersionStatus.Invalid, result.Version.Status);
        Assert.Equal([second.Version.Name], result.VersionsInvalidated);
        Assert.All(
            await (await store.StoreAsync()).ListAsync(null),
            version => Assert.Equal(VersionStatus.Invalid, version.Status));
        Assert.Equal(10 * Block, content.Length);
    }

    [Fact]
    public async Task AFlippedBitIsFoundByADeepScrubOnlyAndCostsOneFrame()
    {
        await using var store = new StoreFixture();
        var (content, first, _) = await TwoVersionsAsync(store);
        DamagedFile.Flip(Path.Combine(store.StoragePath, store.Objects("blocks")[3]), fromEnd: 10);
        Assert.Empty((await ScrubAsync(store, first.Version.Name, isDeep: false)).Damage);
        var damage = Assert.Single((await ScrubAsync(store, first.Version.Name, isDeep: true)).Damage);
        Assert.Equal(Frame, damage.Length);

        var (result, restored) = await store.RestoreAsync(first.Version.Name.ToString(), "target");
        Assert.Equal([damage], result.Damage);
        content.AsSpan((int)damage.Offset, (int)damage.Length).Clear();
        Assert.Equal(content, restored);
    }

    [Fact]
    public async Task TheNextBackupHealsADamagedBlockForAllVersions()
    {
        await using var store = new StoreFixture();
        var (_, first, second) = await TwoVersionsAsync(store);
        DamagedFile.Flip(Path.Combine(store.StoragePath, store.Objects("blocks")[3]), fromEnd: 10);
        await ScrubAsync(store, first.Version.Name, isDeep: true);
        var third = await store.BackupAsync("disk");
        Assert.Equal(1, third.BlocksNew);
        foreach (var version in new[] { first, second, third })
        {
            var scrub = await ScrubAsync(store, version.Version.Name, isDeep: true);
            Assert.Empty(scrub.Damage);
            Assert.Equal(VersionStatus.Valid, scrub.Version.Status);
        }
    }

    [Fact]
    public async Task ADamagedLenderMakesItsBorrowersVersionsInvalid()
    {
        await using var store = new StoreFixture { BlockSize = 16 * Frame };
        var content = RandomNumberGenerator.GetBytes(16 * Frame);
        store.Images.Set("disk", content);
        var first = await store.BackupAsync("disk");
        var lender = Assert.Single(store.Objects("blocks"));
        content[0] ^= 1;
        var second = await store.BackupAsync("disk");
        Assert.Equal(1, second.BlocksDelta);
        DamagedFile.Flip(Path.Combine(store.StoragePath, lender), fromEnd: 10);
        var scrub = await ScrubAsync(store, first.Version.Name, isDeep: true);
        Assert.Equal([second.Version.Name], scrub.VersionsInvalidated);
        var third = await store.BackupAsync("disk");
        Assert.Equal(0, third.BlocksDelta);
        Assert.Equal(content, await store.RestoreAsync(third.Version.Name));
    }

    [Fact]
    public async Task ASourceThatDiffersIsToldButMakesNothingInvalid()
    {
        await using var store = new StoreFixture();
        var (content, _, second) = await TwoVersionsAsync(store);
        content[(2 * Block) + Frame] ^= 1;
        store.Images.Set("other", content);
        var result = await (await store.StoreAsync()).ScrubAsync(
            new ScrubRequest { Version = second.Version.Name.ToString(), IsDeep = true, Source = "other" },
            NoProgress.Instance);
        Assert.Equal([new Extent((2 * Block) + Frame, Frame, ExtentKind.Data)], result.SourceDifferences);
        Assert.Empty(result.Damage);
        Assert.Equal(VersionStatus.Valid, result.Version.Status);
    }

    [Fact]
    public async Task HolesOfBothSidesAreNotReadWhenTheyAreCompared() => await Seeded.RunAsync(async random =>
    {
        await using var store = new StoreFixture();
        var content = WithHoles(random, 40);
        store.Images.Set("disk", content);
        var version = (await store.BackupAsync("disk")).Version;
        var other = WithHoles(random, 40);
        other = [.. other.Zip(content, (left, right) => (byte)(left | right))];
        var image = store.Images.Set("other", other);
        var result = await (await store.StoreAsync()).ScrubAsync(
            new ScrubRequest { Version = version.Name.ToString(), IsDeep = true, Source = "other" }, NoProgress.Instance);
        var blocks = Enumerable.Range(0, 40).Select(index => new Range(index * Block, (index + 1) * Block)).ToList();
        Assert.Equal(blocks.Count(block => other[block].Any(value => value != 0)) * (long)Block, image.BytesRead);
        var differing = Enumerable.Range(0, 40 * Block / Frame)
            .Where(frame => !content.AsSpan(frame * Frame, Frame).SequenceEqual(other.AsSpan(frame * Frame, Frame)))
            .ToHashSet();
        Assert.Equal(
            differing.Order(),
            result.SourceDifferences.SelectMany(extent =>
                Enumerable.Range((int)(extent.Offset / Frame), (int)(extent.Length / Frame))));
    });

    private static byte[] WithHoles(Random random, int blocks)
    {
        var content = new byte[blocks * Block];
        for (var index = 0; index < blocks; index++)
        {
            if (random.Next(3) == 0)
            {
                content[(index * Block) + random.Next(Block)] = 1;
            }
        }

        return content;
    }

    [Fact]
    public async Task AMissingPageOrManifestIsWrittenAgain()
    {
        await using var store = new StoreFixture();
        var (content, first, _) = await TwoVersionsAsync(store);
        var lost = store.Objects("pages").Concat(store.Objects("versions")).ToList();
        foreach (var name in lost)
        {
            File.Delete(Path.Combine(store.StoragePath, name));
        }

        foreach (var version in await (await store.StoreAsync()).ListAsync(null))
        {
            Assert.Empty((await ScrubAsync(store, version.Name, isDeep: true)).Damage);
        }

        Assert.Equal(lost, store.Objects("pages").Concat(store.Objects("versions")));
        Assert.Equal(content, await store.RestoreAsync(first.Version.Name));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(101)]
    public async Task APercentageOutOfRangeIsRefused(int percentage)
    {
        await using var store = new StoreFixture();
        await Assert.ThrowsAsync<UsageException>(async () => await (await store.StoreAsync()).ScrubAsync(
            new ScrubRequest { Version = "x", BlockPercentage = percentage }, NoProgress.Instance));
    }

    [Fact]
    public async Task AShareOfTheBlocksNeverMakesAVersionValid()
    {
        await using var store = new StoreFixture();
        var (_, first, _) = await TwoVersionsAsync(store);
        var path = Path.Combine(store.StoragePath, store.Objects("blocks")[0]);
        File.Move(path, path + "x");
        await ScrubAsync(store, first.Version.Name, isDeep: true);
        File.Move(path + "x", path);
        var share = await (await store.StoreAsync()).ScrubAsync(
            new ScrubRequest { Version = first.Version.Name.ToString(), IsDeep = true, BlockPercentage = 50 },
            NoProgress.Instance);
        Assert.Equal(VersionStatus.Invalid, share.Version.Status);
        Assert.Equal(VersionStatus.Valid, (await ScrubAsync(store, first.Version.Name, isDeep: true)).Version.Status);
    }

    private static async Task<(byte[] Content, BackupResult First, BackupResult Second)> TwoVersionsAsync(StoreFixture store)
    {
        var content = RandomNumberGenerator.GetBytes(10 * Block);
        store.Images.Set("disk", content);
        return (content, await store.BackupAsync("disk"), await store.BackupAsync("disk"));
    }

    private static async Task<ScrubResult> ScrubAsync(StoreFixture store, VersionName version, bool isDeep) =>
        await (await store.StoreAsync()).ScrubAsync(
            new ScrubRequest { Version = version.ToString(), IsDeep = isDeep }, NoProgress.Instance);
}
