using Benji.Store.Blocks;
using Benji.Store.Blocks.Age;
using Benji.Store.Blocks.Opening;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Catalogs;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Blocks.Age;

/// <summary>What one look takes for a difference while others put and supersede marks, and what a change leaves behind.</summary>
public sealed class AgeWatchTests : IAsyncLifetime
{
    private readonly ManualClock _clock = new();
    private readonly MemoryCatalogPlace _place;
    private readonly MemoryCatalog _catalog;
    private readonly MemoryStorage _memory;
    private readonly AgeMark _required = NewMark(1);
    private OpenedStore _store = null!;
    private AgeWatch _watch = null!;

    // What happens right before marks are listed, by the number of the listing.
    private Func<int, Task>? _onList;
    private int _lists;

    public AgeWatchTests()
    {
        _place = new MemoryCatalogPlace(_clock);
        _catalog = new MemoryCatalog(_place);
        _memory = new MemoryStorage(_clock);
    }

    public async Task InitializeAsync()
    {
        _store = await OpenedStore.OpenAsync(
            new StoreOpening
            {
                Name = "main",
                Storage = new FaultyStorage(_memory, call => call.Kind == StorageCallKind.List && _onList is { } act
                    ? new Fault { Gate = act(_lists++) }
                    : null),
                MayCreate = true,
                Pool = new BlockBufferPool(1 << 20),
                Time = _clock,
            },
            CancellationToken.None);
        _watch = new AgeWatch(_store, _catalog, _clock);
        await PutAsync(_required);
        await KnowAsync(_required, AgeMarkState.Required);
    }

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        await _catalog.DisposeAsync();
    }

    [Fact]
    public async Task WhatIsKnownInAnyStateIsNoDifference()
    {
        foreach (var state in Enum.GetValues<AgeMarkState>())
        {
            var mark = NewMark(2);
            await KnowAsync(mark, state);
            await PutAsync(mark);
        }

        Assert.Null(await _watch.FindMismatchAsync(CancellationToken.None));
    }

    [Fact]
    public async Task AMarkThatIsKnownOnlyAfterTheListingIsNoDifference()
    {
        // A stranger's at the first sight, and at the second known to the catalog.
        var mark = NewMark(2);
        await PutAsync(mark);
        _onList = number => number == 1 ? KnowAsync(mark, AgeMarkState.Pending) : Task.CompletedTask;
        Assert.Null(await _watch.FindMismatchAsync(CancellationToken.None));
        Assert.Equal(2, _lists);
    }

    [Fact]
    public async Task DifferencesThatAreNeverTheSameRefuseNobody()
    {
        var marks = Enumerable.Range(2, 3).Select(NewMark).ToArray();
        _onList = async number =>
        {
            if (number > 0)
            {
                await KnowAsync(marks[number - 1], AgeMarkState.Pending);
            }

            if (number < marks.Length)
            {
                await PutAsync(marks[number]);
            }
        };
        Assert.Null(await _watch.FindMismatchAsync(CancellationToken.None));
        Assert.Equal(4, _lists);

        // One that stays does.
        await PutAsync(NewMark(9));
        _onList = null;
        var mismatch = (await _watch.FindMismatchAsync(CancellationToken.None))!;
        Assert.Equal(9, Assert.Single(mismatch.Unknown).Number);
        await Assert.ThrowsAsync<AgeMismatchException>(() => _watch.LookAsync(CancellationToken.None));
    }

    [Fact]
    public async Task TheCatalogIsReadAfterTheStorageWasListed()
    {
        // Whatever is listed was recorded before: one look is enough.
        var mark = NewMark(2);
        _onList = async _ =>
        {
            await KnowAsync(mark, AgeMarkState.Pending);
            await PutAsync(mark);
        };
        Assert.Null(await _watch.FindMismatchAsync(CancellationToken.None));
        Assert.Equal(1, _lists);
    }

    [Fact]
    public async Task ALookIsRecentForFiveSecondsFromItsBeginning()
    {
        Assert.False(_watch.IsRecent);
        _onList = _ =>
        {
            _clock.Wait(TimeSpan.FromSeconds(6));
            return Task.CompletedTask;
        };
        await _watch.LookAsync(CancellationToken.None);
        Assert.False(_watch.IsRecent);

        _onList = null;
        await _watch.LookAsync(CancellationToken.None);
        Assert.True(_watch.IsRecent);
        _clock.Wait(TimeSpan.FromSeconds(6));
        Assert.False(_watch.IsRecent);
    }

    [Fact]
    public async Task AMarkThatIsListedLateIsLookedUp()
    {
        var late = NewMark(2);
        await KnowAsync(late, AgeMarkState.Required);
        Assert.Equal([late], (await _watch.FindMismatchAsync(CancellationToken.None))!.Missing);
        await using var hidden = await OpenedStore.OpenAsync(
            new StoreOpening
            {
                Name = "main",
                Storage = new FaultyStorage(_memory, call => call.Kind == StorageCallKind.List ? new Fault { Loses = true } : null),
                MayCreate = false,
                Pool = new BlockBufferPool(1 << 20),
                Time = _clock,
            },
            CancellationToken.None);
        await PutAsync(late);
        Assert.Null(await new AgeWatch(hidden, _catalog, _clock).FindMismatchAsync(CancellationToken.None));
    }

    [Fact]
    public async Task AChangeIsTrueWhenItsMarkIsThere()
    {
        var steps = new List<string>();
        var done = await _watch.ChangeAsync(
            transaction => steps.Add($"begin {transaction.AgeMarks.List("main").Count}"),
            () =>
            {
                steps.Add($"put {Marks} {StateOfNew()}");
                return Task.CompletedTask;
            },
            transaction =>
            {
                steps.Add($"end {Marks}");
                return 7;
            },
            CancellationToken.None);
        Assert.Equal(7, done);
        Assert.Equal(["begin 1", "put 1 Pending", "end 2"], steps);
        Assert.Equal(AgeMarkState.Required, StateOfNew());
        Assert.Equal(AgeMarkState.Retired, _place.State.AgeMarks[_required].State);
        Assert.Null(await _watch.FindMismatchAsync(CancellationToken.None));
    }

    [Fact]
    public async Task AChangeWhoseMarkCannotBePutIsNotTrue()
    {
        await Assert.ThrowsAsync<StorageException>(() => _watch.ChangeAsync(
            _ => { },
            () => throw new StorageException("The disk is full.", isTransient: false),
            _ => true,
            CancellationToken.None));
        Assert.Equal(AgeMarkState.Pending, StateOfNew());
        Assert.Equal(AgeMarkState.Required, _place.State.AgeMarks[_required].State);
    }

    private static AgeMark NewMark(int number) => new(number, Guid.NewGuid());

    private int Marks => _memory.Names.Count(name => name.Value.StartsWith("marks/", StringComparison.Ordinal));

    private AgeMarkState StateOfNew() => _place.State.AgeMarks.Values.Single(known => known.Mark != _required).State;

    private Task PutAsync(AgeMark mark) => _memory.PutAsync(new($"marks/{mark}"), new byte[1], CancellationToken.None);

    private async Task KnowAsync(AgeMark mark, AgeMarkState state)
    {
        await using var other = new MemoryCatalog(_place);
        await other.WriteAsync(
            transaction =>
            {
                transaction.AgeMarks.Put(new KnownMark("main", mark, state, _clock.GetUtcNow()));
                return true;
            },
            CancellationToken.None);
    }
}
