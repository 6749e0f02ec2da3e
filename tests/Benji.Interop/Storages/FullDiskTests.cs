using Benji.Interop.Sources;
using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Store.Storages.Files;
using Benji.Testing;
using Xunit;

namespace Benji.Interop.Storages;

/// <summary>Fills a real file system under a file storage. Needs root.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const int ObjectSize = 1_000_003;

    private readonly TemporaryDirectory _directory = new();
    private readonly BlockBufferPool _pool = new(idleBytesMax: 8 << 20);
    private bool _isMounted;

    private static CancellationToken None => CancellationToken.None;

    public void Dispose()
    {
        if (_isMounted)
        {
            LoopDevice.Run("umount", _directory["disk"]);
        }

        _directory.Dispose();
    }

    [Theory]
    [InlineData("tmpfs", true)]
    [InlineData("ext4", true)]
    [InlineData("ext4", false)]
    public async Task AFullDiskIsAClearErrorAndEverythingStoredStays(string fileSystem, bool isAligned)
    {
        Mount(fileSystem);
        var root = _directory["disk/storage"];
        await using var storage = new FileStorage(new FileStorageOptions { Path = root, Create = true });
        using var buffer = _pool.Rent(ObjectSize + 1);
        var content = buffer.Memory.Slice(isAligned ? 0 : 1, ObjectSize);
        var stored = new List<ObjectName>();
        var failure = await Assert.ThrowsAsync<StorageException>(async () =>
        {
            for (var i = 0; i < 100; i++)
            {
                await using var batch = storage.StartBatch();
                var names = Enumerable.Range(0, 3).Select(n => new ObjectName($"blocks/{i:d2}/{n}")).ToArray();
                foreach (var name in names)
                {
                    Fill(content.Span, name);
                    await batch.AddAsync(name, content, None);
                }

                await batch.CommitAsync(None);
                stored.AddRange(names);
            }
        });

        Assert.False(failure.IsTransient);
        Assert.Contains("no space left on device", failure.Message, StringComparison.Ordinal);
        Assert.Contains(root, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
        Assert.True(stored.Count >= 6, $"Only {stored.Count} objects fit");
        var expected = new byte[ObjectSize];
        var found = new byte[ObjectSize + 1];
        foreach (var name in stored)
        {
            Assert.Equal(ObjectSize, await storage.ReadAsync(name, 0, found, None));
            Fill(expected, name);
            Assert.True(expected.AsSpan().SequenceEqual(found.AsSpan(0, ObjectSize)), $"{name} differs");
        }

        Assert.Empty(Directory.GetFiles(Directory.GetDirectories(Path.Combine(root, ".tmp"))[0]));

        // Room is made by deleting, and then puts go on.
        await storage.DeleteAsync(stored, None);
        await storage.PutAsync(stored[0], content, None);
        Assert.Equal(ObjectSize, (await storage.FindAsync(stored[0], None))?.Size);
    }

    // Not ext4: what was freed comes back whenever its journal is written, so that nobody knows when it is full.
    [Theory]
    [InlineData("tmpfs")]
    public async Task OneMarkIsPutOnAFullDiskAndAgainAfterADeletion(string fileSystem)
    {
        Mount(fileSystem);
        var root = _directory["disk/storage"];
        var mark = new byte[15];
        await using (var used = new FileStorage(new FileStorageOptions { Path = root, Create = true }))
        {
            await used.PutAsync(new("marks/0"), mark, None);
            await used.PutAsync(new("versions/v/1"), new byte[700], None);
            await FillAsync(used);
        }

        // Another process, which finds no room for its own directory either.
        await using var storage = new FileStorage(new FileStorageOptions { Path = root });
        await storage.PutAsync(new("marks/1"), mark, None);
        Assert.Equal(15, (await storage.FindAsync(new("marks/1"), None))?.Size);

        // A file system with a journal gives back what was freed only when that is written: a few more may find room.
        var last = 2;
        while (await Record.ExceptionAsync(() => storage.PutAsync(new($"marks/{last}"), mark, None)) is not StorageException)
        {
            Assert.True(++last < 64);
        }

        await storage.DeleteAsync([new("versions/v/1")], None);
        await FillAsync(storage);
        await storage.PutAsync(new($"marks/{last}"), mark, None);
        Assert.Equal(15, await storage.ReadAsync(new($"marks/{last}"), 0, new byte[4096], None));
    }

    // Down to the last block that a file may have.
    private static async Task FillAsync(FileStorage storage)
    {
        for (var size = 1 << 20; size >= 1024; size /= 2)
        {
            var isFull = false;
            while (!isFull)
            {
                isFull = await Record.ExceptionAsync(
                    () => storage.PutAsync(new($"blocks/{Guid.NewGuid():N}"), new byte[size], None)) is StorageException;
            }
        }
    }

    private static void Fill(Span<byte> content, ObjectName name)
    {
        var seed = name.Value.Aggregate(17, (sum, letter) => (sum * 7 % 1_000_003) + letter);
        new Random(seed).NextBytes(content);
    }

    private void Mount(string fileSystem)
    {
        Directory.CreateDirectory(_directory["disk"]);
        if (fileSystem == "tmpfs")
        {
            LoopDevice.Run("mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", _directory["disk"]);
        }
        else
        {
            using (var image = File.Create(_directory["image"]))
            {
                image.SetLength(16 << 20);
            }

            LoopDevice.Run("mkfs.ext4", "-q", "-F", _directory["image"]);
            LoopDevice.Run("mount", "-o", "loop", _directory["image"], _directory["disk"]);
        }

        _isMounted = true;
    }
}
