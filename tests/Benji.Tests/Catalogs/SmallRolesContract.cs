using Benji.Store.Catalogs;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Catalogs;

/// <summary>What every catalog's overlays, intents, storage bindings, deletion claims, reservations and age marks must do.</summary>
public abstract class SmallRolesContract : CatalogContract
{
    private static readonly VersionName Base = new("vm/disk", "one");

    [Fact]
    public async Task AnOverlayIsFoundByItsBaseAndNameAndListedByAge()
    {
        var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
        var overlays = new[]
        {
            new OverlayRecord(Guid.NewGuid(), "b", first, Base, Clock.GetUtcNow()),
            new OverlayRecord(Guid.NewGuid(), "a", first, Base, Clock.GetUtcNow().AddTicks(1)),
            new OverlayRecord(Guid.NewGuid(), "b", second, new VersionName("vm", "two"), Clock.GetUtcNow().AddTicks(2)),
        };
        await WriteAsync(catalog => Array.ForEach([overlays[2], overlays[1], overlays[0]], catalog.Overlays.Add));
        await ReopenAsync();

        Assert.Equal(overlays, await ReadAsync(catalog => catalog.Overlays.List(null)));
        Assert.Equal(overlays[..2], await ReadAsync(catalog => catalog.Overlays.List(first)));
        Assert.Equal(overlays[2], await ReadAsync(catalog => catalog.Overlays.Find(second, "b")));
        Assert.Null(await ReadAsync(catalog => catalog.Overlays.Find(second, "a")));
        Assert.Null(await ReadAsync(catalog => catalog.Overlays.Find(first, "B")));
    }

    [Fact]
    public async Task AnOverlaysNameIsTakenOnItsBaseUntilItIsRemoved()
    {
        var overlay = new OverlayRecord(Guid.NewGuid(), "o", Guid.NewGuid(), Base, Clock.GetUtcNow());
        var same = overlay with { Id = Guid.NewGuid() };
        await WriteAsync(catalog => catalog.Overlays.Add(overlay));

        await Assert.ThrowsAsync<AlreadyExistsException>(() => WriteAsync(catalog => catalog.Overlays.Add(same)));
        Assert.True(await WriteAsync(catalog => catalog.Overlays.Remove(overlay.Id)));
        Assert.False(await WriteAsync(catalog => catalog.Overlays.Remove(overlay.Id)));
        await WriteAsync(catalog => catalog.Overlays.Add(same));

        Assert.Equal([same], await ReadAsync(catalog => catalog.Overlays.List(null)));
    }

    [Fact]
    public async Task IntentsAreReplacedByVersionAndForgotten()
    {
        var publish = new Intent(IntentKind.Publish, Guid.NewGuid(), Base, "storage", long.MaxValue, Clock.GetUtcNow());
        var remove = new Intent(IntentKind.Remove, Guid.NewGuid(), new VersionName("v", "2"), "s", 1, Clock.GetUtcNow());
        await WriteAsync(catalog =>
        {
            catalog.Intents.Put(publish);
            catalog.Intents.Put(remove with { Kind = IntentKind.Publish });
            catalog.Intents.Put(remove);
        });
        await ReopenAsync();

        Assert.Equal(
            new[] { publish, remove }.ToHashSet(), (await ReadAsync(catalog => catalog.Intents.List())).ToHashSet());

        await WriteAsync(catalog => catalog.Intents.Remove(publish.VersionId));
        await WriteAsync(catalog => catalog.Intents.Remove(publish.VersionId));
        Assert.Equal([remove], await ReadAsync(catalog => catalog.Intents.List()));
    }

    [Fact]
    public async Task AStorageBindingIsFoundByItsExactNameAndReplaced()
    {
        var binding = new StorageBinding("Main", Guid.NewGuid(), IsEncrypted: true);
        await WriteAsync(catalog => catalog.StorageBindings.Put(binding));
        await ReopenAsync();

        Assert.Equal(binding, await ReadAsync(catalog => catalog.StorageBindings.Find("Main")));
        Assert.Null(await ReadAsync(catalog => catalog.StorageBindings.Find("main")));

        var rebuilt = binding with { StoreId = Guid.NewGuid(), IsEncrypted = false };
        await WriteAsync(catalog => catalog.StorageBindings.Put(rebuilt));
        Assert.Equal(rebuilt, await ReadAsync(catalog => catalog.StorageBindings.Find("Main")));

        var other = new StorageBinding("Ähnlich", Guid.NewGuid(), IsEncrypted: true, Clock.GetUtcNow());
        await WriteAsync(catalog => catalog.StorageBindings.Put(other));
        Assert.Equal(
            new[] { other, rebuilt }.ToHashSet(), (await ReadAsync(catalog => catalog.StorageBindings.List())).ToHashSet());
    }

    [Fact]
    public async Task ABindingKeepsWhatIsInDoubt()
    {
        var binding = new StorageBinding("main", Guid.NewGuid(), IsEncrypted: false, Clock.GetUtcNow(), HoldsStrays: true);
        await WriteAsync(catalog => catalog.StorageBindings.Put(binding));
        await ReopenAsync();

        Assert.Equal(binding, await ReadAsync(catalog => catalog.StorageBindings.Find("main")));

        await WriteAsync(catalog => catalog.StorageBindings.Put(binding with { DoubtFrom = null, HoldsStrays = false }));
        Assert.Equal(
            binding with { DoubtFrom = null, HoldsStrays = false },
            await ReadAsync(catalog => catalog.StorageBindings.Find("main")));
    }

    [Fact]
    public async Task AnIntentKeepsItsMarkAndWhatThatSupersedes()
    {
        AgeMark[] marks = [new(7, Guid.NewGuid()), new(8, Guid.NewGuid()), new(9, Guid.NewGuid())];
        var intent = new Intent(
            IntentKind.Publish, Guid.NewGuid(), Base, "s", 3, Clock.GetUtcNow(), Guid.NewGuid(), marks[2])
        {
            Over = marks[..2],
        };
        await WriteAsync(catalog => catalog.Intents.Put(intent));
        await ReopenAsync();

        var found = Assert.Single(await ReadAsync(catalog => catalog.Intents.List()));
        Assert.Equal(intent with { Over = [] }, found with { Over = [] });
        Assert.Equal(intent.Over, found.Over);
    }

    [Fact]
    public async Task AgeMarksAreListedByStorageAndNumberAndReplacedByTheirTokens()
    {
        AgeMark[] marks = [new(1, Guid.NewGuid()), new(2, Guid.NewGuid()), new(3, Guid.NewGuid())];
        var required = new KnownMark("main", marks[0], AgeMarkState.Required, Clock.GetUtcNow());
        var pending = new KnownMark("main", marks[1], AgeMarkState.Pending, Clock.GetUtcNow());
        var other = new KnownMark("other", marks[2], AgeMarkState.Gone, Clock.GetUtcNow());
        await WriteAsync(catalog => Array.ForEach([pending, other, required], catalog.AgeMarks.Put));
        await ReopenAsync();

        Assert.Equal([required, pending], await ReadAsync(catalog => catalog.AgeMarks.List("main")));

        var retired = required with { State = AgeMarkState.Retired, Since = Clock.GetUtcNow().AddDays(1) };
        await WriteAsync(catalog =>
        {
            catalog.AgeMarks.Put(retired);
            catalog.AgeMarks.Remove([marks[1], new AgeMark(4, Guid.NewGuid())]);
        });
        Assert.Equal([retired], await ReadAsync(catalog => catalog.AgeMarks.List("main")));
        Assert.Equal([other], await ReadAsync(catalog => catalog.AgeMarks.List("other")));
        Assert.Empty(await ReadAsync(catalog => catalog.AgeMarks.List("Main")));
    }

    [Fact]
    public async Task AStorageHasOneDeletionClaimAtATime()
    {
        BlockId[] blocks = [new(HashOf(1)), new(HashOf(2))];
        PageId[] pages = [new(HashOf(3))];
        var claim = new DeletionClaim("main", new(5, Guid.NewGuid()), [new(4, Guid.NewGuid())], blocks, pages);
        var other = new DeletionClaim("other", new(1, Guid.NewGuid()), [], [], pages);
        await WriteAsync(catalog =>
        {
            catalog.DeletionClaims.Put(other with { Blocks = blocks });
            catalog.DeletionClaims.Put(claim);
            catalog.DeletionClaims.Put(other);
        });
        await ReopenAsync();

        Assert.Equivalent(claim, await ReadAsync(catalog => catalog.DeletionClaims.Find("main")), strict: true);
        Assert.Equivalent(other, await ReadAsync(catalog => catalog.DeletionClaims.Find("other")), strict: true);

        await WriteAsync(catalog => catalog.DeletionClaims.Remove("main"));
        await WriteAsync(catalog => catalog.DeletionClaims.Remove("main"));
        Assert.Null(await ReadAsync(catalog => catalog.DeletionClaims.Find("main")));
        Assert.NotNull(await ReadAsync(catalog => catalog.DeletionClaims.Find("other")));
    }

    [Fact]
    public async Task ReservationsAreListedUntilTheyAreForgotten()
    {
        var first = new DeltaReservation(Guid.NewGuid(), "main", 7, [new(HashOf(1)), new(HashOf(2))]);
        var second = new DeltaReservation(Guid.NewGuid(), "main", 8, []);
        await WriteAsync(catalog =>
        {
            catalog.DeltaReservations.Put(first with { Blocks = [] });
            catalog.DeltaReservations.Put(second);
            catalog.DeltaReservations.Put(first);
        });
        await ReopenAsync();

        var found = await ReadAsync(catalog => catalog.DeltaReservations.List());
        Assert.Equivalent(first, found.Single(reservation => reservation.Id == first.Id), strict: true);
        Assert.Equal(2, found.Count);

        Assert.True(await WriteAsync(catalog => catalog.DeltaReservations.Remove(first.Id)));
        Assert.False(await WriteAsync(catalog => catalog.DeltaReservations.Remove(first.Id)));
        Assert.Equal(8, Assert.Single(await ReadAsync(catalog => catalog.DeltaReservations.List())).Fencing);
    }
}
