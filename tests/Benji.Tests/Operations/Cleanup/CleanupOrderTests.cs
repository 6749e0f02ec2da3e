using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing.Catalogs;
using Xunit;

namespace Benji.Tests.Operations.Cleanup;

/// <summary>Borrowers go before lenders. The blocks here are rows and objects of nothing: a cleanup opens neither.</summary>
public sealed class CleanupOrderTests : IAsyncLifetime
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly List<List<BlockId>> _batches = [];
    private CleanupWorld _world = null!;
    private CleanupProcess _process = null!;
    private HookedCatalog _catalog = null!;

    public async Task InitializeAsync()
    {
        _world = await CleanupWorld.OpenAsync();
        _process = await _world.StartAsync(catalog => _catalog = new HookedCatalog(catalog));
        _catalog.BeforeWrite = () =>
        {
            // The claim of one batch stands before its rows go; each is seen once.
            if (_world.State.Claims.TryGetValue(CleanupWorld.Storage, out var claim)
                && _batches.LastOrDefault() is var last && !(last?.SequenceEqual(claim.Blocks) ?? false))
            {
                _batches.Add([.. claim.Blocks]);
            }

            return Task.CompletedTask;
        };
    }

    public Task DisposeAsync() => _process.DisposeAsync().AsTask();

    [Fact]
    public async Task AChainOfThreeHundredGoesFromItsEndInTwoClaimsAndAFewScans()
    {
        await PutAsync([.. Enumerable.Range(0, 300).Select(i => Row(i, i > 0 ? [i - 1] : []))]);

        await _process.CleanUpAsync(TimeSpan.Zero);

        Assert.Empty(_world.State.Blocks);

        // The end of the chain has no borrower; of the others each goes with or after the one that borrows from it.
        Assert.Equal([Id(299)], _batches[0]);
        Assert.Equal(Enumerable.Range(0, 299).Reverse().Select(Id), _batches.Skip(1).SelectMany(batch => batch));
        Assert.Equal([1, 256, 43], _batches.Select(batch => batch.Count));
        Assert.InRange(_catalog.Reads, 1, 40);
    }

    [Fact]
    public async Task AFanGoesBorrowersFirst()
    {
        // One lender of 600, each of which lends to another one.
        await PutAsync([
            Row(0),
            .. Enumerable.Range(1, 600).Select(i => Row(i, 0)),
            .. Enumerable.Range(1, 600).Select(i => Row(600 + i, i)),
        ]);

        await _process.CleanUpAsync(TimeSpan.Zero);

        Assert.Empty(_world.State.Blocks);
        var order = _batches.SelectMany(batch => batch).ToList();
        Assert.Equal(1201, order.Count);
        Assert.Equal(Id(0), order[^1]);
        Assert.All(Enumerable.Range(1, 600), i => Assert.True(order.IndexOf(Id(600 + i)) < order.IndexOf(Id(i))));
    }

    [Fact]
    public async Task ALenderStaysWhileABorrowerDoesWhateverLiesBetween()
    {
        // 3 borrows from 2, 2 from 1, 1 from 0; only 3 is too young to go. 5 and its lender 4 are nobody's.
        await PutAsync(Row(0), Row(1, 0), Row(2, 1), Row(3, 2), Row(4), Row(5, 4));
        await SetSinceAsync(3, _world.Clock.GetUtcNow());

        var result = await _process.CleanUpAsync(Hour);

        Assert.Equal(Ids(0, 1, 2, 3), _world.State.Blocks.Keys.ToHashSet());
        Assert.Equal((2, 4), (result!.ObjectsDeleted, result.ObjectsWaiting));

        _world.Clock.Advance(2 * Hour);
        Assert.Equal(4, (await _process.CleanUpAsync(Hour))!.ObjectsDeleted);
    }

    [Fact]
    public async Task ALenderStaysWhenItsBorrowerChangesBeforeBothAreClaimed()
    {
        // 3 goes first, alone; then 2, 1 and 0 would go together. 1 is made live behind the cleanup's back.
        await PutAsync(Row(0), Row(1, 0), Row(2, 1), Row(3, 2));
        var hook = _catalog.BeforeWrite!;
        _catalog.BeforeWrite = async () =>
        {
            await hook();
            if (!_world.State.Blocks.ContainsKey(Id(3)))
            {
                await _process.WriteAsync(transaction => transaction.BlockReferences.SetState(
                    [Id(1)], ReferenceState.Live, _world.Clock.GetUtcNow()));
            }
        };

        await _process.CleanUpAsync(Hour);

        Assert.Equal(Ids(0, 1), _world.State.Blocks.Keys.ToHashSet());
    }

    [Fact]
    public async Task BlocksThatBorrowInACircleGoToo()
    {
        await PutAsync(Row(0, 2), Row(1, 0), Row(2, 1), Row(3, 3), Row(4, 1), Row(5, 0));

        await _process.CleanUpAsync(TimeSpan.Zero);

        Assert.Empty(_world.State.Blocks);
    }

    [Fact]
    public async Task ACircleThatLendsToWhatStaysStays()
    {
        await PutAsync(Row(0, 1), Row(1, 0), Row(2, 0));
        await SetSinceAsync(2, _world.Clock.GetUtcNow());

        await _process.CleanUpAsync(Hour);

        Assert.Equal(3, _world.State.Blocks.Count);
    }

    [Fact]
    public async Task WhatOnePassCannotKeepBackGoesInTheNext()
    {
        await PutAsync([.. Enumerable.Range(0, 12).Select(i => Row(i, i > 0 ? [i - 1] : []))]);

        var result = await _process.CleanUpAsync(Hour, lendersMax: 3);

        Assert.Empty(_world.State.Blocks);
        Assert.Equal((12, 0), (result!.ObjectsDeleted, result.ObjectsWaiting));
    }

    [Fact]
    public async Task PassesEndWhenAllThatIsKeptBackStays()
    {
        await PutAsync([.. Enumerable.Range(0, 12).Select(i => Row(i, i > 0 ? [i - 1] : []))]);
        await SetSinceAsync(11, _world.Clock.GetUtcNow());

        var result = await _process.CleanUpAsync(Hour, lendersMax: 3);

        Assert.Equal((0, 12), (result!.ObjectsDeleted, result.ObjectsWaiting));
    }

    // In the order of their numbers.
    private static BlockId Id(int number)
    {
        var bytes = new byte[Hash256.Size];
        (bytes[0], bytes[1], bytes[31]) = ((byte)(number >> 8), (byte)(number & 0xff), 1);
        return new BlockId(new Hash256(bytes));
    }

    private static HashSet<BlockId> Ids(params int[] numbers) => [.. numbers.Select(Id)];

    private static BlockRow Row(int number, params int[] lenders) => new(
        Id(number),
        CleanupWorld.Storage,
        lenders.Length == 0 ? BlockForm.Whole : BlockForm.Delta,
        CleanupWorld.BlockSize,
        CleanupWorld.BlockSize,
        1,
        [.. lenders.Select(lender => new Loan(Id(lender), FrameSet.All(CleanupWorld.Frames)))],
        Own: null,
        IsInvalid: false,
        ReferenceState.Candidate,
        default);

    private Task PutAsync(params BlockRow[] rows) =>
        _process.WriteAsync(transaction => transaction.BlockReferences.Put(rows));

    private Task SetSinceAsync(int number, DateTimeOffset since) => _process.WriteAsync(
        transaction => transaction.BlockReferences.SetState([Id(number)], ReferenceState.Candidate, since));
}
