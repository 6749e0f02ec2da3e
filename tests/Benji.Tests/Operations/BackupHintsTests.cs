using System.Globalization;
using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Operations;

public sealed class BackupHintsTests
{
    private const int Frame = BlockGeometry.FrameSize;
    private const int Block = 4 * Frame;

    [Fact]
    public async Task OnlyTheHintedFramesAreRead()
    {
        await using var store = new StoreFixture();
        var content = RandomNumberGenerator.GetBytes(100 * Block);
        store.Images.Set("disk", content);
        var first = await store.BackupAsync("disk");
        content[(50 * Block) + Frame + 9] ^= 1;
        var image = store.Images.Set("disk", content);
        var second = await BackupAsync(store, first, (50L * Block) + Frame, 4096, exists: true);
        var sample = 10 * Block;
        Assert.Equal(sample + Frame, image.BytesRead);
        Assert.Equal(1, second.BlocksDelta);
        Assert.Equal(99, second.BlocksUnchanged);
        Assert.Equal(content, await store.RestoreAsync(second.Version.Name));
    }

    [Fact]
    public async Task AHintedHoleBecomesAHoleWithoutAReadButItsEdgesAreRead()
    {
        await using var store = new StoreFixture();
        var content = RandomNumberGenerator.GetBytes(20 * Block);
        store.Images.Set("disk", content);
        var first = await store.BackupAsync("disk");
        var start = (5 * Block) + 100;
        var length = (3 * Block) + 50;
        content.AsSpan(start, length).Clear();
        store.Images.Set("disk", content);
        var second = await BackupAsync(store, first, start, length, exists: false);
        Assert.Equal(content, await store.RestoreAsync(second.Version.Name));
        Assert.Equal(2, second.BlocksHole);
        Assert.Equal(content.Length - (11L * Frame), second.Version.AllocatedBytes);
    }

    [Fact]
    public async Task HintsThatTheSourceContradictsAreRefused()
    {
        await using var store = new StoreFixture();
        var content = RandomNumberGenerator.GetBytes(5 * Block);
        store.Images.Set("disk", content);
        var first = await store.BackupAsync("disk");
        content[4 * Block] ^= 1;
        store.Images.Set("disk", content);
        await Assert.ThrowsAsync<InputDataException>(() => BackupAsync(store, first, 0, 10, exists: true));
        Assert.Single(await (await store.StoreAsync()).ListAsync(null));
    }

    [Theory]
    [InlineData((5 * Block) - 1, 2)]
    [InlineData(long.MaxValue - 5, 5)]
    public async Task HintsBehindTheEndAreRefused(long offset, long length)
    {
        await using var store = new StoreFixture();
        store.Images.Set("disk", new byte[5 * Block]);
        var first = await store.BackupAsync("disk");
        await Assert.ThrowsAsync<InputDataException>(() => BackupAsync(store, first, offset, length, exists: true));
    }

    [Theory]
    [InlineData(3 * Block)]
    [InlineData((7 * Block) + 11)]
    [InlineData((9 * Block) + (2 * Frame) + 1)]
    public async Task AResizedSourceIsReadWhereItsLengthChanged(int newSize)
    {
        await using var store = new StoreFixture();
        var content = RandomNumberGenerator.GetBytes((7 * Block) + (2 * Frame) + 1);
        store.Images.Set("disk", content);
        var first = await store.BackupAsync("disk");
        var resized = RandomNumberGenerator.GetBytes(newSize);
        content.AsSpan(0, Math.Min(newSize, content.Length)).CopyTo(resized);
        store.Images.Set("disk", resized);
        var hints = WriteHints(store);
        var second = await store.BackupAsync(
            "disk", request => request with { HintsFile = hints, BaseVersion = first.Version.Name.ToString() });
        Assert.Equal(resized, await store.RestoreAsync(second.Version.Name));
        Assert.Equal(newSize, second.Version.AllocatedBytes);
    }

    [Fact]
    public async Task ABaseVersionOfAnotherBlockSizeIsRefused()
    {
        await using var store = new StoreFixture();
        store.Images.Set("disk", new byte[Block]);
        var first = await store.BackupAsync("disk");
        await Assert.ThrowsAsync<UsageException>(() => store.BackupAsync(
            "disk",
            request => request with { BaseVersion = first.Version.Name.ToString(), BlockSize = 2 * Block }));
    }

    [Fact]
    public async Task DamagedBlocksOfTheBaseAreReadWhateverTheHintsSay()
    {
        await using var store = new StoreFixture();
        var content = RandomNumberGenerator.GetBytes(30 * Block);
        store.Images.Set("disk", content);
        var first = await store.BackupAsync("disk");
        var victim = store.Objects("blocks")[7];
        File.Delete(Path.Combine(store.StoragePath, victim));
        Assert.NotEmpty((await store.DeepScrubAsync(first.Version.Name)).Damage);
        var second = await BackupAsync(store, first, 0, 1, exists: true);
        Assert.Equal(1, second.BlocksNew);
        Assert.Contains(victim, store.Objects("blocks"));
        Assert.Equal(content, await store.RestoreAsync(second.Version.Name));
        Assert.Equal(VersionStatus.Valid, (await store.DeepScrubAsync(first.Version.Name)).Version.Status);
    }

    private static Task<BackupResult> BackupAsync(
        StoreFixture store, BackupResult first, long offset, long length, bool exists)
    {
        var hints = WriteHints(store, (offset, length, exists));
        return store.BackupAsync(
            "disk", request => request with { HintsFile = hints, BaseVersion = first.Version.Name.ToString() });
    }

    private static string WriteHints(StoreFixture store, params (long Offset, long Length, bool Exists)[] extents)
    {
        var path = store[$"hints-{Guid.NewGuid():N}.json"];
        File.WriteAllText(path, $"[{string.Join(',', extents.Select(Format))}]");
        return path;
    }

    private static string Format((long Offset, long Length, bool Exists) extent) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"offset":{{extent.Offset}},"length":{{extent.Length}},"exists":"{{(extent.Exists ? "true" : "false")}}"}""");
}
