using System.Security.Cryptography;
using Benji.Store.Blocks.Maps;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Blocks.Maps;

/// <summary>Map pages in a dictionary, with counts of what was asked for.</summary>
internal sealed class MemoryPages : IPageStore
{
    private readonly Lock _pagesLock = new();
    private readonly Dictionary<PageId, MapPage> _pages = [];

    public int PageCount => _pages.Count;

    public int ReadTrips { get; private set; }

    public int PutTrips { get; private set; }

    public int LargestTrip { get; private set; }

    public List<PageId> LeavesRead { get; } = [];

    public void ResetCounts()
    {
        (ReadTrips, PutTrips, LargestTrip) = (0, 0, 0);
        LeavesRead.Clear();
    }

    public void Lose(PageId id) => _pages.Remove(id);

    public PageId ComputeId(int level, ReadOnlySpan<byte> content)
    {
        if (MapPage.IsHole(content))
        {
            return PageId.Hole;
        }

        Span<byte> input = stackalloc byte[BlockGeometry.PageSize + 1];
        input[0] = (byte)level;
        content.CopyTo(input[1..]);
        return new PageId(new Hash256(SHA256.HashData(input)));
    }

    public ValueTask<byte[]?[]> ReadAsync(
        IReadOnlyList<PageId> ids, int level, CancellationToken cancellationToken)
    {
        lock (_pagesLock)
        {
            ReadTrips++;
            LargestTrip = Math.Max(LargestTrip, ids.Count);
            if (level == 0)
            {
                LeavesRead.AddRange(ids);
            }

            return ValueTask.FromResult<byte[]?[]>([.. ids.Select(id => Read(id, level))]);
        }
    }

    public Task PutAsync(IReadOnlyDictionary<PageId, MapPage> pages, CancellationToken cancellationToken)
    {
        lock (_pagesLock)
        {
            PutTrips++;
            LargestTrip = Math.Max(LargestTrip, pages.Count);
            foreach (var (id, page) in pages)
            {
                Assert.Equal(ComputeId(page.Level, page.Content), id);
                _pages[id] = page;
            }

            return Task.CompletedTask;
        }
    }

    private byte[]? Read(PageId id, int level)
    {
        if (id.IsHole)
        {
            return null;
        }

        if (!_pages.TryGetValue(id, out var page))
        {
            throw new CorruptDataException($"Map page {id} of level {level} is missing.");
        }

        Assert.Equal(level, page.Level);
        return page.Content;
    }
}
