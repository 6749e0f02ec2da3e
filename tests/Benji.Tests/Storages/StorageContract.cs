using System.Text;
using Benji.Store.Model;
using Benji.Store.Storages;
using Xunit;

namespace Benji.Tests.Storages;

/// <summary>What every storage promises for single objects, whichever it is and whatever is wrapped around it.</summary>
public abstract class StorageContract : StorageContractBase
{
    [Fact]
    public async Task PutThenReadGivesTheBytes()
    {
        var content = Bytes(1, 10_000);
        await Storage.PutAsync(Name("a/b/c"), content, None);
        Assert.Equal(content, await ReadAllAsync(Name("a/b/c")));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(65536)]
    [InlineData(1_000_003)]
    public async Task ObjectsOfAnySizeKeepTheirSizeAndBytes(int size)
    {
        using var buffer = Pool.Rent(size);
        Bytes(2, size).CopyTo(buffer.Span);
        await Storage.PutAsync(Name("aligned"), buffer.Memory, None);
        await Storage.PutAsync(Name("unaligned"), Bytes(2, size), None);

        foreach (var name in new[] { "aligned", "unaligned" })
        {
            Assert.Equal(size, (await Storage.FindAsync(Name(name), None))!.Value.Size);
            Assert.Equal(Bytes(2, size), await ReadAllAsync(Name(name)));
        }
    }

    [Fact]
    public async Task PutReplacesAsAWhole()
    {
        await Storage.PutAsync(Name("x"), Bytes(1, 9000), None);
        await Storage.PutAsync(Name("x"), Bytes(2, 10), None);
        Assert.Equal(Bytes(2, 10), await ReadAllAsync(Name("x")));
        Assert.Equal(10, (await Storage.FindAsync(Name("x"), None))!.Value.Size);
    }

    [Fact]
    public async Task TheContentMayChangeOnceThePutIsDone()
    {
        var content = Bytes(1, 5000);
        await Storage.PutAsync(Name("x"), content, None);
        Array.Clear(content);
        Assert.Equal(Bytes(1, 5000), await ReadAllAsync(Name("x")));
    }

    [Fact]
    public async Task CreateTakesAFreeName()
    {
        Assert.True(await Storage.TryCreateAsync(Name("new/x"), Bytes(1, 100), None));
        Assert.Equal(Bytes(1, 100), await ReadAllAsync(Name("new/x")));
    }

    [Fact]
    public async Task CreateLeavesATakenNameUnchanged()
    {
        await Storage.PutAsync(Name("x"), Bytes(1, 100), None);
        var before = await Storage.FindAsync(Name("x"), None);
        Assert.False(await Storage.TryCreateAsync(Name("x"), Bytes(2, 200), None));
        Assert.Equal(before, await Storage.FindAsync(Name("x"), None));
        Assert.Equal(Bytes(1, 100), await ReadAllAsync(Name("x")));
    }

    [Fact]
    public async Task OneOfManyConcurrentCreatesWins()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 16).Select(
            i => Task.Run(() => Storage.TryCreateAsync(Name("contended"), Bytes(i, 5000 + i), None))));
        var winner = Array.IndexOf(results, true);
        Assert.Single(results, true);
        Assert.Equal(Bytes(winner, 5000 + winner), await ReadAllAsync(Name("contended")));
    }

    [Fact]
    public async Task ConcurrentPutsOfOneNameLeaveOneOfTheirContents()
    {
        await Task.WhenAll(Enumerable.Range(0, 16).Select(
            i => Task.Run(() => Storage.PutAsync(Name("a/contended"), Bytes(i, 5000 + i), None))));
        var content = await ReadAllAsync(Name("a/contended"));
        Assert.Equal(Bytes(content.Length - 5000, content.Length), content);
    }

    [Fact]
    public async Task AReaderSeesAWholeObjectWhileItIsReplaced()
    {
        await Storage.PutAsync(Name("x"), Bytes(0, 8192), None);
        using var done = new CancellationTokenSource();
        var reading = Task.Run(async () =>
        {
            var reads = 0;
            do
            {
                var content = await ReadAllAsync(Name("x"), 8192);
                Assert.Equal(8192, content.Length);
                Assert.Contains(Enumerable.Range(0, 21), seed => content.AsSpan().SequenceEqual(Bytes(seed, 8192)));
                reads++;
            }
            while (!done.IsCancellationRequested);
            return reads;
        });
        for (var i = 1; i <= 20; i++)
        {
            await Storage.PutAsync(Name("x"), Bytes(i, 8192), None);
        }

        await done.CancelAsync();
        Assert.True(await reading > 0);
    }

    [Fact]
    public async Task FindOfAMissingObjectIsNull()
    {
        await Storage.PutAsync(Name("there/x"), Bytes(1, 1), None);
        Assert.Null(await Storage.FindAsync(Name("missing"), None));
        Assert.Null(await Storage.FindAsync(Name("there"), None));
        Assert.Null(await Storage.FindAsync(Name("there/y"), None));
        Assert.Null(await Storage.FindAsync(Name("missing/x"), None));
    }

    [Fact]
    public async Task FindTellsWhenTheObjectWasPut()
    {
        var before = Time.GetUtcNow();
        await Storage.PutAsync(Name("x"), Bytes(1, 7), None);
        var info = (await Storage.FindAsync(Name("x"), None))!.Value;
        Assert.Equal(Name("x"), info.Name);
        Assert.Equal(7, info.Size);
        Assert.Equal(TimeSpan.Zero, info.Modified.Offset);

        // A file system's clock moves in ticks of some milliseconds.
        Assert.InRange(info.Modified, before.AddSeconds(-2), Time.GetUtcNow().AddSeconds(2));
    }

    [Theory]
    [InlineData(0, 100, 100)]
    [InlineData(0, 1000, 1000)]
    [InlineData(0, 1001, 1000)]
    [InlineData(990, 100, 10)]
    [InlineData(999, 1, 1)]
    [InlineData(1000, 1, 0)]
    [InlineData(1001, 50, 0)]
    [InlineData(1L << 40, 50, 0)]
    [InlineData(500, 0, 0)]
    public async Task ReadsEndWithTheObject(long offset, int length, int expected)
    {
        await Storage.PutAsync(Name("x"), Bytes(3, 1000), None);
        var destination = new byte[length];
        Assert.Equal(expected, await Storage.ReadAsync(Name("x"), offset, destination, None));
        Assert.Equal(
            expected == 0 ? [] : Bytes(3, 1000).AsSpan((int)offset, expected).ToArray(), destination[..expected]);
    }

    [Fact]
    public async Task ReadOfAMissingObjectThrowsNotFound()
    {
        await Storage.PutAsync(Name("there/x"), Bytes(1, 1), None);
        foreach (var name in new[] { "missing", "there", "there/y", "missing/x" })
        {
            var failure = await Assert.ThrowsAsync<NotFoundException>(
                async () => await Storage.ReadAsync(Name(name), 0, new byte[10], None));
            Assert.Contains(name, failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task DeletedObjectsAreGoneAndOthersStay()
    {
        await PutAllAsync("d/a", "d/b", "e/c");
        await Storage.DeleteAsync([Name("d/a"), Name("e/c")], None);
        Assert.Null(await Storage.FindAsync(Name("d/a"), None));
        Assert.Null(await Storage.FindAsync(Name("e/c"), None));
        Assert.Equal(["d/b"], await ListAsync(""));
    }

    [Fact]
    public async Task DeleteIsIdempotent()
    {
        await PutAllAsync("d/a");
        await Storage.DeleteAsync([Name("d/a"), Name("d/a"), Name("d/missing"), Name("missing/x"), Name("d")], None);
        await Storage.DeleteAsync([Name("d/a")], None);
        await Storage.DeleteAsync([], None);
        Assert.Empty(await ListAsync(""));
    }

    [Fact]
    public async Task AnObjectIsDeletedOnlyWhileItsBytesAreTheExpectedOnes()
    {
        await PutAllAsync("d/a", "d/b");
        var bytes = await ReadAllAsync(Name("d/a"));
        foreach (var other in new byte[][] { [], bytes[..^1], [.. bytes, 0], [.. bytes[..^1], (byte)(bytes[^1] ^ 1)] })
        {
            Assert.False(await Storage.TryDeleteAsync(Name("d/a"), other, None));
            Assert.Equal(bytes, await ReadAllAsync(Name("d/a")));
        }

        Assert.True(await Storage.TryDeleteAsync(Name("d/a"), bytes, None));
        Assert.Equal(["d/b"], await ListAsync(""));
        foreach (var missing in new[] { "d/a", "d", "d/b/c", "missing/x" })
        {
            Assert.True(await Storage.TryDeleteAsync(Name(missing), bytes, None));
        }

        Assert.Equal(["d/b"], await ListAsync(""));
    }

    [Fact]
    public async Task ADeletedNameCanBePutAgain()
    {
        await PutAllAsync("d/a");
        await Storage.DeleteAsync([Name("d/a")], None);
        Assert.True(await Storage.TryCreateAsync(Name("d/a"), Bytes(9, 90), None));
        Assert.Equal(Bytes(9, 90), await ReadAllAsync(Name("d/a")));
    }

    [Fact]
    public async Task HostileNamesAreObjectsLikeOthers()
    {
        string[] names =
        [
            "tmp", "lock", "a+b", "x@y", "vol:1/20261123T024501Z", "-rf", "--", "~", "a..b", "a.", "nul.tmp",
            new string('n', 255), $"{new string('p', 255)}/{new string('q', 255)}/{new string('r', 255)}/z",
        ];
        names = [.. names.Where(ObjectName.IsValid)];
        foreach (var name in names)
        {
            await Storage.PutAsync(Name(name), Encoding.UTF8.GetBytes(name), None);
        }

        foreach (var name in names)
        {
            Assert.Equal(name, Encoding.UTF8.GetString(await ReadAllAsync(Name(name))));
        }

        Assert.Equal(names.Order(StringComparer.Ordinal), await ListAsync(""));
    }

    [Fact]
    public async Task NamesDifferingInCaseAreDifferentObjects()
    {
        await Storage.PutAsync(Name("Case"), Bytes(1, 10), None);
        await Storage.PutAsync(Name("case"), Bytes(2, 20), None);
        Assert.Equal(Bytes(1, 10), await ReadAllAsync(Name("Case")));
        Assert.Equal(Bytes(2, 20), await ReadAllAsync(Name("case")));
    }

    [Fact]
    public async Task ACancelledCallThrowsAndLeavesNothing()
    {
        var cancelled = new CancellationToken(canceled: true);
        await PutAllAsync("x");
        await using var batch = Storage.StartBatch();
        await AssertCancelled(() => Storage.PutAsync(Name("y"), Bytes(1, 10), cancelled));
        await AssertCancelled(() => Storage.TryCreateAsync(Name("y"), Bytes(1, 10), cancelled));
        await AssertCancelled(() => batch.AddAsync(Name("y"), Bytes(1, 10), cancelled).AsTask());
        await AssertCancelled(() => Storage.DeleteAsync([Name("x")], cancelled));
        await AssertCancelled(() => Storage.TryDeleteAsync(Name("x"), new byte[1], cancelled));
        await AssertCancelled(() => Storage.ReadAsync(Name("x"), 0, new byte[1], cancelled).AsTask());
        await AssertCancelled(() => Storage.FindAsync(Name("x"), cancelled).AsTask());
        Assert.Equal(["x"], await ListAsync(""));
        await batch.CommitAsync(None);
        Assert.Equal(["x"], await ListAsync(""));
    }

    [Fact]
    public void TraitsAreUsable()
    {
        Assert.NotEmpty(Storage.Traits.Description);
        Assert.True(Storage.Traits.ReadsMax >= 1, $"ReadsMax {Storage.Traits.ReadsMax}");
        Assert.True(Storage.Traits.WritesMax >= 1, $"WritesMax {Storage.Traits.WritesMax}");
        Assert.True(Storage.Traits.BatchBytes >= 1, $"BatchBytes {Storage.Traits.BatchBytes}");
        Assert.True(Storage.Traits.BatchObjects >= 1, $"BatchObjects {Storage.Traits.BatchObjects}");
    }

    private static async Task AssertCancelled(Func<Task> call) =>
        await Assert.ThrowsAnyAsync<OperationCanceledException>(call);
}
