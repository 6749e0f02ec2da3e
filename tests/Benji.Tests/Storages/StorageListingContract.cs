using Xunit;

namespace Benji.Tests.Storages;

/// <summary>What every storage promises for listings.</summary>
public abstract class StorageListingContract : StorageContractBase
{
    [Fact]
    public async Task AnEmptyStorageListsNothing()
    {
        Assert.Empty(await ListAsync(""));
        Assert.Empty(await ListAsync("blocks/"));
    }

    [Fact]
    public async Task AListingGivesEveryObjectOnce()
    {
        await PutAllAsync("top", "blocks/ab/cd/1", "blocks/ab/cd/2", "blocks/ab/ce/3", "versions/a@b/v1");
        Assert.Equal(
            ["blocks/ab/cd/1", "blocks/ab/cd/2", "blocks/ab/ce/3", "top", "versions/a@b/v1"], await ListAsync(""));
    }

    [Fact]
    public async Task APrefixChoosesWholeParts()
    {
        await PutAllAsync("a/b/1", "a/b/c/2", "a/bc/3", "ab/4", "a/5");
        Assert.Equal(["a/5", "a/b/1", "a/b/c/2", "a/bc/3"], await ListAsync("a/"));
        Assert.Equal(["a/b/1", "a/b/c/2"], await ListAsync("a/b/"));
        Assert.Empty(await ListAsync("a/b/1/"));
        Assert.Empty(await ListAsync("b/"));
    }

    [Fact]
    public async Task AListingTellsWhatFindTells()
    {
        await PutAllAsync("a/x", "b");
        await foreach (var info in Storage.ListAsync("", None))
        {
            Assert.Equal(await Storage.FindAsync(info.Name, None), info);
        }
    }

    [Fact]
    public async Task ObjectsMayBeDeletedWhileTheyAreListed()
    {
        string[] names = [.. Enumerable.Range(0, 50).Select(i => $"blocks/{i % 5}/{i}")];
        await PutAllAsync(names);
        var seen = new List<string>();
        await foreach (var info in Storage.ListAsync("blocks/", None))
        {
            seen.Add(info.Name.Value);
            await Storage.DeleteAsync([info.Name], None);
        }

        Assert.Equal(names.Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
        Assert.Empty(await ListAsync(""));
    }

    [Fact]
    public async Task ObjectsReplacedWhileTheyAreListedAreSeenOnce()
    {
        string[] names = [.. Enumerable.Range(0, 50).Select(i => $"blocks/{i}")];
        await PutAllAsync(names);
        var seen = new List<string>();
        await foreach (var info in Storage.ListAsync("", None))
        {
            seen.Add(info.Name.Value);
            await PutAllAsync(names[seen.Count % names.Length], $"blocks/new-{seen.Count}");
        }

        Assert.Equal(
            names.Order(StringComparer.Ordinal),
            seen.Where(name => !name.Contains("new", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal(seen.Count, seen.Distinct().Count());
    }

    [Fact]
    public async Task CancellationEndsAListing()
    {
        await PutAllAsync("a", "b", "c");
        using var source = new CancellationTokenSource();
        var seen = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var info in Storage.ListAsync("", source.Token))
            {
                seen++;
                await source.CancelAsync();
            }
        });
        Assert.Equal(1, seen);
    }
}
