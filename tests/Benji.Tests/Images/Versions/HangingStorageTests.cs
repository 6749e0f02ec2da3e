using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Serving;
using Benji.Testing.Storages;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Images.Versions;

public sealed class HangingStorageTests
{
    private const int Frame = BlockGeometry.FrameSize;
    private const int Block = 4 * Frame;

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task AStorageThatHangsIsGivenUpAtTheLimitAndOthersReadOn()
    {
        var gate = new TaskCompletionSource();
        var hanging = new TaskCompletionSource();
        var isHanging = false;
        var clock = new HeldClock();
        await using var store = new StoreFixture
        {
            Parts = new StoreParts
            {
                WrapStorage = storage => new FaultyStorage(storage, call =>
                {
                    if (!isHanging || call.Kind != StorageCallKind.Read)
                    {
                        return null;
                    }

                    hanging.TrySetResult();
                    return new Fault { Gate = gate.Task };
                }),
            },
        };
        var content = RandomNumberGenerator.GetBytes(8 * Block);
        await using var served = await ServeAsync(store, content, clock);
        var images = served.OpenImages();
        await using var image = await images.OpenVersionAsync((await images.FindAsync("disk/latest", None))!, None);
        await SameAsync(content, image, 0);

        isHanging = true;
        var late = image.ReadBytesAsync(7 * Block, Frame);
        await hanging.Task;
        using var impatience = new CancellationTokenSource();
        using var pieces = new ImagePieces();
        var killed = image.ReadAsync(7 * Block, Frame, pieces, impatience.Token).AsTask();
        await SameAsync(content, image, 0);
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => killed);
        Assert.False(late.IsCompleted);
        clock.Release();
        var failure = await Assert.ThrowsAsync<StorageException>(() => late);
        Assert.True(failure.IsTransient);
        Assert.Contains("has not answered for 20 s", failure.Message, StringComparison.Ordinal);

        // What comes at last is there for the next reader.
        isHanging = false;
        gate.SetResult();
        await SameAsync(content, image, 7 * Block);
    }

    [Fact]
    public async Task AStorageThatHangsWhenItIsOpenedIsGivenUpAtTheLimit()
    {
        var gate = new TaskCompletionSource();
        var clock = new HeldClock();
        var isHanging = false;
        await using var store = new StoreFixture
        {
            Parts = new StoreParts
            {
                WrapStorage = storage => new FaultyStorage(
                    storage, _ => isHanging ? new Fault { Gate = gate.Task } : null),
            },
        };
        var content = RandomNumberGenerator.GetBytes(Block);
        await using var served = await ServeAsync(store, content, clock);
        var images = served.OpenImages();
        var entry = (await images.FindAsync("disk/latest", None))!;

        isHanging = true;
        var late = images.OpenVersionAsync(entry, None);
        using var impatience = new CancellationTokenSource();
        var killed = images.OpenVersionAsync(entry, impatience.Token);
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => killed);
        Assert.False(late.IsCompleted);
        while (!late.IsCompleted)
        {
            // Its timer may not be there yet.
            clock.Release();
            await Task.Yield();
        }

        var failure = await Assert.ThrowsAsync<StorageException>(() => late);
        Assert.Contains("has not answered for 20 s", failure.Message, StringComparison.Ordinal);

        isHanging = false;
        gate.SetResult();
        await using var image = await images.OpenVersionAsync(entry, None);
        await SameAsync(content, image, 0);
    }

    // Opens the store anew with one version of the volume "disk".
    private static async Task<BenjiStore> ServeAsync(StoreFixture store, byte[] content, HeldClock clock)
    {
        store.Images.Set("disk", content);
        await store.BackupAsync("disk");
        await store.CloseAsync();
        return await BenjiStore.OpenAsync(
            store.Options, store.Parts, StoreUse.Change, NullLoggerFactory.Instance, clock, None);
    }

    private static async Task SameAsync(byte[] content, IImage image, int offset)
    {
        var read = await image.ReadBytesAsync(offset, Frame);
        Assert.True(content.AsSpan(offset, Frame).SequenceEqual(read));
    }
}
