using Benji.Store.Blocks.Age;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Catalogs;
using Xunit;

namespace Benji.Tests.Blocks.Age;

/// <summary>The moves of one age mark after another, each in a transaction.</summary>
public sealed class AgeLedgerTests : IAsyncLifetime
{
    private readonly ManualClock _clock = new();
    private readonly MemoryCatalogPlace _place;
    private readonly MemoryCatalog _catalog;

    public AgeLedgerTests()
    {
        _place = new MemoryCatalogPlace(_clock);
        _catalog = new MemoryCatalog(_place);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Fact]
    public async Task AMarkIsPendingUntilItIsConfirmedOverThoseBefore()
    {
        var (first, overNone) = await BeginAsync();
        Assert.Empty(overNone);
        Assert.Equal(AgeMarkState.Pending, StateOf(first));
        await ConfirmAsync(first, overNone);
        Assert.Equal(AgeMarkState.Required, StateOf(first));

        var (second, over) = await BeginAsync();
        Assert.Equal([first], over);
        Assert.Equal(AgeMarkState.Required, StateOf(first));
        await ConfirmAsync(second, over);
        Assert.Equal((AgeMarkState.Retired, AgeMarkState.Required), (StateOf(first), StateOf(second)));
    }

    [Fact]
    public async Task OfTwoChangesAtOnceBothMarksAreRequired()
    {
        var (first, _) = await BeginAsync();
        await ConfirmAsync(first, []);
        var (one, overOne) = await BeginAsync();
        var (other, overOther) = await BeginAsync();
        await ConfirmAsync(one, overOne);
        await ConfirmAsync(other, overOther);
        Assert.Equal(
            (AgeMarkState.Retired, AgeMarkState.Required, AgeMarkState.Required),
            (StateOf(first), StateOf(one), StateOf(other)));

        var (last, over) = await BeginAsync();
        await ConfirmAsync(last, over);
        Assert.Equal((AgeMarkState.Retired, AgeMarkState.Retired), (StateOf(one), StateOf(other)));
    }

    [Fact]
    public async Task AMarkThatWasGivenUpIsNotRequiredAnyMore()
    {
        var (mark, over) = await BeginAsync();
        await WriteAsync(t => AgeLedger.GiveUp(t, "main", mark, _clock.GetUtcNow()));
        await ConfirmAsync(mark, over);
        Assert.Equal(AgeMarkState.Retired, StateOf(mark));
    }

    [Fact]
    public async Task ARequiredMarkIsNotGivenUp()
    {
        var (mark, over) = await BeginAsync();
        await ConfirmAsync(mark, over);
        await WriteAsync(t => AgeLedger.GiveUp(t, "main", mark, _clock.GetUtcNow()));
        Assert.Equal(AgeMarkState.Required, StateOf(mark));
    }

    [Fact]
    public async Task WhatWasSupersededAndIsGoneStaysGone()
    {
        var (first, _) = await BeginAsync();
        await ConfirmAsync(first, []);
        var (second, over) = await BeginAsync();
        await WriteAsync(t => t.AgeMarks.Put(new KnownMark("main", first, AgeMarkState.Gone, _clock.GetUtcNow())));
        await ConfirmAsync(second, over);
        Assert.Equal(AgeMarkState.Gone, StateOf(first));
    }

    [Fact]
    public async Task APendingMarkIsForgottenAfterADayUnlessSomebodyWaitsForIt()
    {
        var (forgotten, _) = await BeginAsync();
        var (awaited, over) = await BeginAsync();
        var (claimed, _) = await BeginAsync();
        await WriteAsync(t =>
        {
            t.Intents.Put(new Intent(
                IntentKind.Publish, Guid.NewGuid(), new VersionName("a", "b"), "main", 1, _clock.GetUtcNow(), Mark: awaited));
            t.DeletionClaims.Put(new DeletionClaim("main", claimed, over, [], []));
        });
        await RetireAsync();
        Assert.All(_place.State.AgeMarks.Values, known => Assert.Equal(AgeMarkState.Pending, known.State));

        _clock.Advance(TimeSpan.FromDays(2));
        var (young, _) = await BeginAsync();
        await RetireAsync();

        Assert.Equal(AgeMarkState.Retired, StateOf(forgotten));
        Assert.All(new[] { awaited, claimed, young }, mark => Assert.Equal(AgeMarkState.Pending, StateOf(mark)));
    }

    [Fact]
    public async Task OnlyWhatWasDeletedCountsAsGone()
    {
        var (deleted, _) = await BeginAsync();
        var (meanwhile, _) = await BeginAsync();
        await WriteAsync(t =>
        {
            AgeLedger.GiveUp(t, "main", deleted, _clock.GetUtcNow());
            AgeLedger.GiveUp(t, "main", meanwhile, _clock.GetUtcNow());
            AgeLedger.Bury(t, "main", [deleted], _clock.GetUtcNow());
        });
        Assert.Equal((AgeMarkState.Gone, AgeMarkState.Retired), (StateOf(deleted), StateOf(meanwhile)));
    }

    private AgeMarkState StateOf(AgeMark mark) => _place.State.AgeMarks[mark].State;

    private Task<(AgeMark Mark, IReadOnlyList<AgeMark> Over)> BeginAsync() => _catalog.WriteAsync(
        transaction => AgeLedger.Begin(transaction, "main", _clock.GetUtcNow()), CancellationToken.None);

    private Task ConfirmAsync(AgeMark mark, IReadOnlyList<AgeMark> over) =>
        WriteAsync(transaction => AgeLedger.Confirm(transaction, "main", mark, over, _clock.GetUtcNow()));

    private Task RetireAsync() =>
        WriteAsync(transaction => AgeLedger.RetireForgotten(transaction, "main", _clock.GetUtcNow()));

    private Task WriteAsync(Action<ICatalogTransaction> change) => _catalog.WriteAsync(
        transaction =>
        {
            change(transaction);
            return true;
        },
        CancellationToken.None);
}
