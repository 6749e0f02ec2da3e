using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Images;
using Benji.Testing.Serving;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Images.Versions;

public sealed class VersionImageTests
{
    private const int Frame = BlockGeometry.FrameSize;
    private const int Block = 4 * Frame;
    private const long SmallCache = 1;

    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData(1, SmallCache)]
    [InlineData(Block - 1, SmallCache)]
    [InlineData(5 * Block, BenjiStore.ImageCacheBytes)]
    [InlineData((40 * Block) + 4097, SmallCache)]
    [InlineData((300 * Block) + 1, BenjiStore.ImageCacheBytes)]
    public async Task EveryRangeReadsAsItWasBackedUp(int size, long cacheBytes) => await Seeded.RunAsync(async random =>
    {
        await using var store = new StoreFixture();
        var content = FramePattern.Make(random, size);
        await BackupAsync(store, content);
        content = FramePattern.Change(random, content);
        await BackupAsync(store, content);
        await using var image = await OpenAsync(store, cacheBytes);
        Assert.Equal(size, image.Size);
        for (var i = 0; i < 200; i++)
        {
            var offset = random.Next(size);
            var length = random.Next(1, Math.Min(size - offset, random.Next(2) == 0 ? 5000 : 3 * Block) + 1);
            Same(content, offset, await image.ReadBytesAsync(offset, length));
        }

        Same(content, 0, await image.ReadAllAsync());
    });

    [Fact]
    public async Task ManyReadersOfASmallCacheReadWhatWasBackedUp() => await Seeded.RunAsync(async random =>
    {
        await using var store = new StoreFixture();
        var content = FramePattern.Make(random, 60 * Block);
        await BackupAsync(store, content);
        await using var image = await OpenAsync(store, SmallCache);
        var seeds = Enumerable.Range(0, 8).Select(_ => random.Next()).ToArray();
        await Task.WhenAll(seeds.Select(seed => Task.Run(async () =>
        {
            var own = new Random(seed);
            for (var i = 0; i < 60; i++)
            {
                var offset = own.Next(content.Length);
                var length = own.Next(1, Math.Min(content.Length - offset, 10 * Block) + 1);
                var read = await image.ReadBytesAsync(offset, length);
                Same(content, offset, read);
            }
        })));
    });

    [Fact]
    public async Task AReadOfWhatIsInMemoryAllocatesNothing()
    {
        await using var store = new StoreFixture();
        var content = RandomNumberGenerator.GetBytes(8 * Block);
        content.AsSpan(Block, Block + Frame).Clear();
        await BackupAsync(store, content);
        await using var image = await OpenAsync(store);
        await image.ReadAllAsync();
        using var pieces = new ImagePieces();
        ReadMany(image, pieces, 1000);

        // A collection that another test sets off meanwhile counts as some bytes, once.
        Assert.Contains(Enumerable.Range(0, 5), _ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            ReadMany(image, pieces, 100_000);
            return GC.GetAllocatedBytesForCurrentThread() == before;
        });
    }

    [Fact]
    public async Task HolesTakeNoMemory()
    {
        await using var store = new StoreFixture();
        var content = new byte[64 * Block];
        content[Block] = 1;
        await BackupAsync(store, content);
        await using var image = await OpenAsync(store);
        using var pieces = new ImagePieces();
        await image.ReadAsync(0, content.Length, pieces, None);
        Assert.Equal(Frame, pieces.Pieces.ToArray().Sum(piece => piece.Memory.Length));
        Assert.Equal(3, pieces.Count);
    }

    [Fact]
    public async Task ADamagedFrameIsLostAndNoOther()
    {
        await using var store = new StoreFixture { ZstdLevel = null };
        var content = RandomNumberGenerator.GetBytes(3 * Block);
        await BackupAsync(store, content);
        var damaged = DamageOneFrame(store, content);
        await using var image = await OpenAsync(store);
        for (var frame = 0; frame < content.Length / Frame; frame++)
        {
            var offset = frame * Frame;
            if (offset == damaged)
            {
                var failure = await Assert.ThrowsAsync<DamagedImageException>(() => image.ReadBytesAsync(offset, Frame));
                Assert.Equal(offset, failure.Offset);
                Assert.Contains("disk/", failure.Message, StringComparison.Ordinal);
                continue;
            }

            Same(content, offset, await image.ReadBytesAsync(offset, Frame));
        }

        var marked = (await image.Damage.ListAsync(0, image.Size)).Where(extent => extent.IsMarked);
        var block = damaged / Block * Block;
        Assert.Equal([new MarkedExtent(block, Block, true)], marked);
    }

    [Fact]
    public async Task AMissingBlockIsLostAndNoOther()
    {
        await using var store = new StoreFixture();
        var content = RandomNumberGenerator.GetBytes(2 * Block);
        await BackupAsync(store, content);
        File.Delete(Path.Combine(store.StoragePath, store.Objects("blocks")[0]));
        await using var image = await OpenAsync(store);
        var lost = 0;
        for (var block = 0; block < 2; block++)
        {
            try
            {
                Same(content, block * Block, await image.ReadBytesAsync(block * Block, Block));
            }
            catch (DamagedImageException)
            {
                lost++;
            }
        }

        Assert.Equal(1, lost);
    }

    [Fact]
    public async Task FramesThatManyWaitForAreReadOnce()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var blocks = new System.Collections.Concurrent.ConcurrentBag<string>();
        await using var store = new StoreFixture
        {
            Parts = new StoreParts
            {
                WrapStorage = storage => new FaultyStorage(storage, call =>
                {
                    if (call.Kind != StorageCallKind.Read || !call.Name.StartsWith("blocks", StringComparison.Ordinal))
                    {
                        return null;
                    }

                    blocks.Add(call.Name);
                    return new Fault { Gate = gate.Task };
                }),
            },
        };
        var content = RandomNumberGenerator.GetBytes(Block);
        await BackupAsync(store, content);
        await using var image = await OpenAsync(store);
        var reads = Enumerable.Range(0, 20).Select(_ => image.ReadBytesAsync(Frame, Frame)).ToArray();
        gate.SetResult();
        foreach (var read in await Task.WhenAll(reads))
        {
            Same(content, Frame, read);
        }

        // The header, and the frame.
        Assert.Equal(2, blocks.Count);
    }

    [Fact]
    public async Task AStreamIsLoadedAhead()
    {
        await using var store = new StoreFixture();
        var content = RandomNumberGenerator.GetBytes(64 * Block);
        await BackupAsync(store, content);
        await using var image = await OpenAsync(store);
        for (var offset = 0; offset < 4 * Block; offset += Frame)
        {
            await image.ReadBytesAsync(offset, Frame);
        }

        using var pieces = new ImagePieces();
        var deadline = Environment.TickCount64 + 10_000;
        while (!image.TryRead(6 * Block, Frame, pieces))
        {
            Assert.True(Environment.TickCount64 < deadline, "Nothing was loaded ahead.");
            await Task.Yield();
        }
    }

    [Fact]
    public async Task AStorageThatFailsIsSaidSoAndTheNextReadTriesAgain()
    {
        var isDown = false;
        await using var store = new StoreFixture
        {
            Parts = new StoreParts
            {
                WrapStorage = storage => new FaultyStorage(
                    storage, call => isDown && call.Kind == StorageCallKind.Read ? Fault.Permanent() : null),
            },
        };
        var content = RandomNumberGenerator.GetBytes(Block);
        await BackupAsync(store, content);
        await using var image = await OpenAsync(store);
        isDown = true;
        await Assert.ThrowsAsync<StorageException>(() => image.ReadBytesAsync(0, 10));
        isDown = false;
        Same(content, 0, await image.ReadBytesAsync(0, 10));
    }

    private static void ReadMany(IImage image, ImagePieces pieces, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var offset = i * 40_961L % (image.Size - 4096);
            if (!image.TryRead(offset, 4096, pieces))
            {
                throw new InvalidOperationException($"The bytes at {offset} are not in memory.");
            }

            pieces.Clear();
        }
    }

    // Flips a byte where the content of a frame is stored as it is.
    private static int DamageOneFrame(StoreFixture store, byte[] content)
    {
        foreach (var name in store.Objects("blocks"))
        {
            var path = Path.Combine(store.StoragePath, name);
            var bytes = File.ReadAllBytes(path);
            for (var frame = 0; frame < content.Length / Frame; frame++)
            {
                var at = bytes.AsSpan().IndexOf(content.AsSpan(frame * Frame, 64));
                if (at >= 0 && frame % 4 == 2)
                {
                    using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
                    RandomAccess.Write(file, [(byte)(bytes[at + 100] ^ 1)], at + 100);
                    return frame * Frame;
                }
            }
        }

        throw new InvalidOperationException("No frame is stored as it is.");
    }

    private static void Same(byte[] content, int offset, byte[] read) =>
        Assert.True(content.AsSpan(offset, read.Length).SequenceEqual(read));

    private static async Task BackupAsync(StoreFixture store, byte[] content)
    {
        store.Images.Set("disk", content);
        await store.BackupAsync("disk");
        store.Clock.Advance(TimeSpan.FromSeconds(1));
    }

    private static async Task<IImage> OpenAsync(StoreFixture store, long cacheBytes = BenjiStore.ImageCacheBytes)
    {
        var images = (await store.StoreAsync()).OpenImages(cacheBytes);
        return await images.OpenVersionAsync((await images.FindAsync("disk/latest", None))!, None);
    }
}
