using System.Globalization;
using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Benji.Testing.Storages;
using Benji.Tests.Operations.Reading;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>Plays random months of backups, removals, label changes and cleanups, beside somebody who may only
/// read, against a dictionary of what must be there.</summary>
public sealed class StoreModelTests
{
    private const int Frame = BlockGeometry.FrameSize;
    private const int Steps = 50;

    [Fact]
    [Trait("Category", "Random")]
    public Task RandomHistoriesKeepEveryVersion() => Seeded.RunAsync(async random =>
    {
        var isFull = false;
        await using var store = new StoreFixture
        {
            Parts = StoreParts.Plain with
            {
                WrapStorage = inner => new FaultyStorage(inner, call => isFull && FindsNoRoom(call) ? Fault.Permanent() : null),
            },
            BlockSize = Frame << random.Next(4),
            Key = random.Next(2) == 0 ? null : new KeyOptions { MasterKey = RandomKey(random) },
            ZstdLevel = random.Next(2) == 0 ? null : 1,
        };
        var expected = new Dictionary<VersionName, byte[]>();
        await using var guest = new ReadOnlyGuest(store);
        var content = Mutate(random, [], []);
        BackupResult? newest = null;
        for (var step = 0; step < Steps; step++)
        {
            store.Clock.Advance(TimeSpan.FromMinutes(random.Next(-10, 300)));
            isFull = random.Next(6) == 0;
            switch (random.Next(13))
            {
                case < 5 when isFull:
                    store.Images.Set("disk", Mutate(random, content, []));
                    await Assert.ThrowsAsync<StorageException>(() => store.BackupAsync("disk"));
                    break;
                case < 5:
                    var changes = new List<(long Offset, long Length, bool Exists)>();
                    var mutated = Mutate(random, content, changes);
                    var hints = newest is not null && expected.ContainsKey(newest.Version.Name) && random.Next(2) == 0
                        && mutated.Length == content.Length
                        ? WriteHints(store, changes)
                        : null;
                    content = mutated;
                    store.Images.Set("disk", [.. content]);
                    newest = await store.BackupAsync("disk", request => hints is null
                        ? request
                        : request with { HintsFile = hints, BaseVersion = newest!.Version.Name.ToString() });
                    expected.Add(newest.Version.Name, content);
                    Assert.Equal(Allocated(content), newest.Version.AllocatedBytes);
                    break;
                case 5 or 6 when expected.Count > 0:
                    var victim = expected.Keys.ElementAt(random.Next(expected.Count));
                    await store.RemoveAsync(victim);
                    expected.Remove(victim);
                    break;
                case 7:
                    await store.CleanupAsync();
                    break;
                case 8:
                    await store.CloseAsync();
                    break;
                case 9 when expected.Count > 0:
                    var read = expected.ElementAt(random.Next(expected.Count));
                    Assert.Equal(read.Value, await store.RestoreAsync(read.Key));
                    break;
                case > 9:
                    await guest.StepAsync(random, expected);
                    break;
                default:
                    break;
            }
        }

        isFull = false;
        await guest.DisposeAsync();
        await FourChecks.RunAsync(store, expected);
    });

    // On a full disk only a mark is put; what makes room goes on.
    private static bool FindsNoRoom(StorageCall call) => call.Kind is StorageCallKind.Add or StorageCallKind.Create
        || (call.Kind == StorageCallKind.Put && !call.Name.StartsWith("marks/", StringComparison.Ordinal));

    private static byte[] RandomKey(Random random)
    {
        var key = new byte[32];
        random.NextBytes(key);
        return key;
    }

    private static long Allocated(byte[] content) =>
        Enumerable.Range(0, BlockGeometry.FrameCount(content.Length))
            .Select(frame => content.AsMemory(frame * Frame, Math.Min(Frame, content.Length - (frame * Frame))))
            .Where(frame => frame.Span.ContainsAnyExcept((byte)0))
            .Sum(frame => (long)frame.Length);

    // Sizes up to 40 frames; changes are bytes, runs of text, noise or zeros, sometimes with a new size.
    private static byte[] Mutate(Random random, byte[] old, List<(long Offset, long Length, bool Exists)> changes)
    {
        var size = old.Length == 0 || random.Next(6) == 0 ? random.Next(40 * Frame) : old.Length;
        var content = new byte[size];
        old.AsSpan(0, Math.Min(size, old.Length)).CopyTo(content);
        for (var change = random.Next(6); change > 0 && size > 0; change--)
        {
            var offset = random.Next(size);
            var length = Math.Min(size - offset, random.Next(2) == 0 ? random.Next(1, 5000) : random.Next(1, 6 * Frame));
            var run = content.AsSpan(offset, length);
            var kind = random.Next(3);
            if (kind == 0)
            {
                random.NextBytes(run);
            }
            else
            {
                run.Fill(kind == 1 ? (byte)random.Next(1, 256) : (byte)0);
            }

            changes.Add((offset, length, kind != 2));
        }

        return content;
    }

    // A later change may fill what an earlier one zeroed: what exists wins, and a zeroed range is then merely read.
    private static string WriteHints(StoreFixture store, List<(long Offset, long Length, bool Exists)> changes)
    {
        var path = store[$"hints-{Guid.NewGuid():N}.json"];
        var extents = changes.Select(change => string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"offset":{{change.Offset}},"length":{{change.Length}},"exists":{{(change.Exists ? "true" : "false")}}}"""));
        File.WriteAllText(path, $"[{string.Join(',', extents)}]");
        return path;
    }
}
