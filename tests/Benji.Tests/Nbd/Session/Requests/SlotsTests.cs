using Benji.Nbd;
using Benji.Nbd.Session.Exports;
using Benji.Nbd.Session.Requests;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Nbd.Session.Requests;

/// <summary>How many requests of one connection may wait for the store, and what they may hold.</summary>
public sealed class SlotsTests
{
    [Fact]
    public async Task OneConnectionHoldsOnlySoMuchWhateverIsFree()
    {
        await WithSlotsAsync(count: 3, slots =>
        {
            var first = slots.TryTake(Slots.HeldMax - 1)!;
            var second = slots.TryTake(1)!;
            Assert.Null(slots.TryTake(1));
            slots.Return(second);
            Assert.Null(slots.TryTake(1));
            slots.Release(1);
            second = slots.TryTake(1)!;
            Assert.Equal((2, Slots.HeldMax), (slots.Busy, slots.Held));
            slots.Return(first);
            slots.Return(second);
            slots.Release(Slots.HeldMax);
        });
    }

    [Fact]
    public async Task TheOnlyRequestMayHoldMore()
    {
        await WithSlotsAsync(count: 2, slots =>
        {
            var only = slots.TryTake(Slots.HeldMax + 1)!;
            Assert.Null(slots.TryTake(1));
            slots.Return(only);
            slots.Release(Slots.HeldMax + 1);
        });
    }

    private static async Task WithSlotsAsync(int count, Action<Slots> test)
    {
        var images = new ByteImages();
        var image = await images.OpenVersionAsync(images.Add("vm1/v1", new byte[10]), CancellationToken.None);
        var export = new Export(images, image, [], WritableVersions.None, new ExportOwner("test", new LogLines()));
        var budget = new MemoryBudget(2 * Slots.HeldMax);
        using var wire = new ScriptedWire([]);
        var slots = new Slots(count, export, wire, budget, TimeProvider.System);
        test(slots);
        Assert.Equal(0, budget.Taken);
        slots.Close();
        await export.EndAsync(isClean: true);
    }
}
