using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Operations;

public sealed class BackupRestoreTests
{
    private const int Frame = BlockGeometry.FrameSize;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4095)]
    [InlineData(Frame)]
    [InlineData((4 * Frame) - 1)]
    [InlineData(4 * Frame)]
    [InlineData((4 * Frame) + 1)]
    [InlineData((21 * Frame) + 777)]
    public async Task EverySizeComesBack(int size)
    {
        await using var store = new StoreFixture();
        var content = RandomNumberGenerator.GetBytes(size);
        store.Images.Set("vm/disk", content);
        var result = await store.BackupAsync("vm/disk");
        Assert.Equal(size, result.Version.Size);
        Assert.Equal(size, result.Version.AllocatedBytes);
        Assert.Equal(content, await store.RestoreAsync(result.Version.Name));
        await FourChecks.RunAsync(store, new Dictionary<VersionName, byte[]> { [result.Version.Name] = content });
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(1, false)]
    [InlineData(null, true)]
    [InlineData(3, true)]
    public async Task EveryTransformComesBack(int? zstdLevel, bool isEncrypted)
    {
        await using var store = new StoreFixture
        {
            ZstdLevel = zstdLevel,
            Key = isEncrypted ? new KeyOptions { MasterKey = RandomNumberGenerator.GetBytes(32) } : null,
        };
        var content = new byte[10 * Frame];
        RandomNumberGenerator.Fill(content.AsSpan(0, 3 * Frame));
        content.AsSpan(5 * Frame, 2 * Frame).Fill(7);
        store.Images.Set("disk", content);
        var first = await store.BackupAsync("disk");
        Assert.Equal(5L * Frame, first.Version.AllocatedBytes);
        content[6 * Frame] ^= 1;
        var second = await store.BackupAsync("disk");
        await store.CloseAsync();
        Assert.Equal(content, await store.RestoreAsync(second.Version.Name));
        content[6 * Frame] ^= 1;
        Assert.Equal(content, await store.RestoreAsync(first.Version.Name));
    }

    [Fact]
    public async Task AnUnchangedSourceStoresNothingButItsManifestAndAMark()
    {
        await using var store = new StoreFixture();
        store.Images.Set("disk", RandomNumberGenerator.GetBytes(20 * Frame));
        await store.BackupAsync("disk");
        var before = store.Objects();
        var second = await store.BackupAsync("disk");
        Assert.Equal(5, second.BlocksUnchanged);
        Assert.Equal(0, second.BlocksNew);
        Assert.Equal(["marks", "versions"], store.Objects().Except(before).Select(name => name.Split('/')[0]));
    }

    [Fact]
    public async Task HolesAreNeitherReadNorStored()
    {
        await using var store = new StoreFixture();
        var content = new byte[40 * Frame];
        content[17 * Frame] = 1;
        var image = store.Images.Set("disk", content);
        var result = await store.BackupAsync("disk");
        Assert.Equal(Frame, image.BytesRead);
        Assert.Equal(Frame, result.Version.AllocatedBytes);
        Assert.Equal(9, result.BlocksHole);
        Assert.Single(store.Objects("blocks"));
    }

    [Fact]
    public async Task AZeroedSourceGivesAVersionOfHoles()
    {
        await using var store = new StoreFixture();
        store.Images.Set("disk", RandomNumberGenerator.GetBytes(8 * Frame));
        await store.BackupAsync("disk");
        store.Images.Set("disk", new byte[8 * Frame]);
        var zeroed = await store.BackupAsync("disk");
        Assert.True(zeroed.Version.Root.IsHole);
        Assert.Equal(0, zeroed.Version.AllocatedBytes);
        Assert.Equal(new byte[8 * Frame], await store.RestoreAsync(zeroed.Version.Name));
    }

    [Fact]
    public async Task EqualBlocksAreStoredOnceAcrossVolumes()
    {
        await using var store = new StoreFixture();
        var block = RandomNumberGenerator.GetBytes(4 * Frame);
        store.Images.Set("one", [.. block, .. block]);
        store.Images.Set("two", [.. block, .. new byte[Frame], .. block]);
        await store.BackupAsync("one");
        var two = await store.BackupAsync("two");
        Assert.Equal(1, two.BlocksDeduplicated);
        Assert.Equal(3, store.Objects("blocks").Count);
    }

    [Theory]
    [InlineData(3 * Frame)]
    [InlineData((3 * Frame) + 5)]
    [InlineData(4 * Frame)]
    [InlineData(9 * Frame)]
    [InlineData(0)]
    public async Task AResizedSourceComesBack(int newSize)
    {
        await using var store = new StoreFixture();
        var content = RandomNumberGenerator.GetBytes((6 * Frame) + 100);
        store.Images.Set("disk", content);
        var first = await store.BackupAsync("disk");
        var resized = new byte[newSize];
        content.AsSpan(0, Math.Min(newSize, content.Length)).CopyTo(resized);
        store.Images.Set("disk", resized);
        var second = await store.BackupAsync("disk");
        await FourChecks.RunAsync(
            store,
            new Dictionary<VersionName, byte[]> { [first.Version.Name] = content, [second.Version.Name] = resized });
    }

    [Fact]
    public async Task AFailingSourceLeavesNothingVisible()
    {
        await using var store = new StoreFixture();
        var content = RandomNumberGenerator.GetBytes(20 * Frame);
        store.Images.Set("disk", content).FailingOffset = 18 * Frame;
        await Assert.ThrowsAsync<StorageException>(() => store.BackupAsync("disk"));
        Assert.Empty(await (await store.StoreAsync()).ListAsync(null));
        store.Images["disk"].FailingOffset = -1;
        var result = await store.BackupAsync("disk");
        await FourChecks.RunAsync(store, new Dictionary<VersionName, byte[]> { [result.Version.Name] = content });
    }

    [Fact]
    public async Task ACancelledBackupLeavesNothingVisibleAndBlocksNobody()
    {
        await using var store = new StoreFixture();
        var content = RandomNumberGenerator.GetBytes(20 * Frame);
        using var stop = new CancellationTokenSource();
        store.Images.Set("disk", content).Reading = async _ => await stop.CancelAsync();
        var opened = await store.StoreAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opened.BackupAsync(
            new BackupRequest { Source = "disk", Volume = "disk" },
            NoProgress.Instance,
            stop.Token));
        Assert.Empty(await opened.ListAsync(null));
        store.Images["disk"].Reading = null;
        await store.BackupAsync("disk");
    }

    [Fact]
    public async Task ASecondBackupOfAVolumeIsRefusedWhileTheFirstRuns()
    {
        await using var store = new StoreFixture();
        var reached = new TaskCompletionSource();
        var resume = new TaskCompletionSource();
        store.Images.Set("disk", RandomNumberGenerator.GetBytes(Frame)).Reading = async _ =>
        {
            reached.SetResult();
            await resume.Task;
        };
        var first = store.BackupAsync("disk");
        await reached.Task;
        var refusal = await Assert.ThrowsAsync<InUseException>(() => store.BackupAsync("disk"));
        Assert.Contains("backup of disk", refusal.Message, StringComparison.Ordinal);
        resume.SetResult();
        await first;
    }

    [Fact]
    public async Task RestoringOverOldDataWritesTheHolesToo()
    {
        await using var store = new StoreFixture();
        var content = new byte[12 * Frame];
        content[Frame] = 1;
        store.Images.Set("disk", content);
        var result = await store.BackupAsync("disk");
        var target = store.Images.Set("target", RandomNumberGenerator.GetBytes(12 * Frame));
        await (await store.StoreAsync()).RestoreAsync(
            new RestoreRequest
            {
                Version = result.Version.Name.ToString(),
                Target = "target",
                Force = true,
            },
            NoProgress.Instance);
        Assert.Equal(content, target.Content);
    }

    [Fact]
    public async Task ASparseRestoreLeavesHolesAlone()
    {
        await using var store = new StoreFixture();
        var content = new byte[12 * Frame];
        content.AsSpan(Frame, Frame).Fill(1);
        store.Images.Set("disk", content);
        var result = await store.BackupAsync("disk");
        var old = RandomNumberGenerator.GetBytes(12 * Frame);
        var target = store.Images.Set("target", [.. old]);
        await (await store.StoreAsync()).RestoreAsync(
            new RestoreRequest
            {
                Version = result.Version.Name.ToString(),
                Target = "target",
                Force = true,
                IsSparse = true,
            },
            NoProgress.Instance);
        content.AsSpan(Frame, Frame).CopyTo(old.AsSpan(Frame));
        Assert.Equal(old, target.Content);
    }
}
