using System.Collections.Concurrent;
using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>What an ordinary backup asks a storage for its blocks: puts of new ones, the headers of those that lend, no more.</summary>
public sealed class BackupRequestsTests
{
    private const int Block = 4 * BlockGeometry.FrameSize;
    private const int Blocks = 8;

    [Fact]
    public async Task NothingIsAskedThatTheCatalogKnows()
    {
        var calls = new ConcurrentBag<StorageCall>();
        await using var store = new StoreFixture
        {
            Parts = new StoreParts
            {
                WrapStorage = inner => new FaultyStorage(inner, call =>
                {
                    calls.Add(call);
                    return null;
                }),
            },
        };
        var content = RandomNumberGenerator.GetBytes(Blocks * Block);

        // First, unchanged, three blocks changed in a frame each, one of them moved, and under another name.
        store.Images.Set("disk", content);
        await AssertAskedAsync("disk", adds: Blocks, reads: 0, lists: 1);
        await AssertAskedAsync("disk", adds: 0, reads: 0);
        foreach (var block in new[] { 1, 4, 6 })
        {
            content[block * Block] ^= 1;
        }

        await AssertAskedAsync("disk", adds: 3, reads: 3);
        content.AsSpan(Block, Block).CopyTo(content.AsSpan(2 * Block));
        await AssertAskedAsync("disk", adds: 0, reads: 0);
        store.Images.Set("copy", content);
        await AssertAskedAsync("copy", adds: 0, reads: 0);

        async Task AssertAskedAsync(string disk, int adds, int reads, int lists = 0)
        {
            calls.Clear();
            await store.BackupAsync(disk);
            var asked = calls.Where(call => call.Name.StartsWith(ObjectNames.BlockPrefix, StringComparison.Ordinal))
                .GroupBy(call => call.Kind).ToDictionary(kind => kind.Key, kind => kind.Count());
            Assert.Equal(adds, asked.GetValueOrDefault(StorageCallKind.Add));

            // A whole object is read at once; nothing is looked for. A store is made only where nothing lies.
            Assert.Equal(reads, asked.GetValueOrDefault(StorageCallKind.Read));
            Assert.Equal(lists, asked.GetValueOrDefault(StorageCallKind.List));
            Assert.DoesNotContain(
                asked.Keys, kind => kind is not (StorageCallKind.Add or StorageCallKind.Read or StorageCallKind.List));
        }
    }
}
