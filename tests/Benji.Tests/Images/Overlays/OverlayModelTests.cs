using Benji.Store.Images;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Images.Overlays;

/// <summary>Random steps on an overlay in a real file, against bytes in memory.</summary>
public sealed class OverlayModelTests
{
    private const int Unit = OverlayLayout.UnitSize;
    private const int Units = 60;
    private const int Steps = 600;

    // Long enough for several pieces of a read, short at its end.
    private const int Size = (Units * Unit) - 1000;

    [Fact]
    public Task AnOverlayShowsWhatWasWritten() => RunAsync(new Damage(0, 0));

    [Fact]
    public Task AnOverlayOverADamagedBaseShowsWhatWasWritten() => RunAsync(new Damage(20, 5));

    private static Task RunAsync(Damage damage) => Seeded.RunAsync(async random =>
    {
        using var directory = new TemporaryDirectory();
        var overlays = new OverlayDirectory(directory["overlays"]);
        var content = MakeBase(random);
        OverlayBench? made = null;
        var bench = made = new OverlayBench(
            content, () => new FileOverlayDisk(overlays.PathOf(made!.Header.Id), mayWrite: true));
        bench.Faults.Damaged = (damage.First * Unit, damage.Count * Unit);
        overlays.Create(bench.Header);
        var model = new OverlayModel(content);
        var image = await bench.OpenAsync();
        for (var i = 0; i < Steps; i++)
        {
            var step = OverlayStep.Next(random, Size, unitsMax: random.Next(20) == 0 ? Units : 4);
            var failure = await Record.ExceptionAsync(async () => await step.RunAsync(image));
            Assert.True(failure is null or DamagedImageException, failure?.ToString());
            Assert.Equal(model.TryRun(step, damage.Has), failure is null);
            await CheckReadAsync(random, image, model, damage);
            if (random.Next(50) == 0)
            {
                await image.DisposeAsync();
                Assert.Equal(0, bench.OpenBases);
                image = await bench.OpenAsync();
            }

            if (i % 20 == 0)
            {
                await CheckMapsAsync(image, model, damage, content);
                Assert.Equal(model.ListDirty(), image.ListDirty());
            }
        }

        await image.DisposeAsync();
        Assert.Equal(0, bench.OpenBases);
    });

    // Noise with holes, so that the base has several kinds of pieces too.
    private static byte[] MakeBase(Random random)
    {
        var content = new byte[Size];
        random.NextBytes(content);
        for (var unit = 0; unit < Units; unit += random.Next(1, 8))
        {
            content.AsSpan(unit * Unit, Math.Min(Unit, Size - (unit * Unit))).Clear();
        }

        return content;
    }

    private static async Task CheckReadAsync(Random random, IImage image, OverlayModel model, Damage damage)
    {
        var offset = random.Next(Size);
        var length = random.Next(1, (random.Next(4) == 0 ? Size : Math.Min(Size, offset + (6 * Unit))) - offset + 1);
        length = Math.Min(length, Size - offset);
        var isDamaged = Enumerable.Range(offset / Unit, ((offset + length - 1) / Unit) - (offset / Unit) + 1)
            .Any(unit => damage.Has(unit) && model.States[unit] == UnitState.Base);
        if (isDamaged)
        {
            var fault = await Assert.ThrowsAsync<DamagedImageException>(() => image.ReadBytesAsync(offset, length));
            Assert.InRange(fault.Offset, offset, offset + length - 1);
        }
        else
        {
            var bytes = await image.ReadBytesAsync(offset, length);
            Assert.True(bytes.AsSpan().SequenceEqual(model.Content.AsSpan(offset, length)), $"{offset}+{length} differs.");
        }
    }

    private static async Task CheckMapsAsync(
        Store.Images.Overlays.OverlayImage image, OverlayModel model, Damage damage, byte[] content)
    {
        Assert.Equal(model.States.Count(state => state != UnitState.Base) * (long)Unit, image.DirtyBytes);
        var shown = Math.Min(content.Length, model.States.Count(state => state == UnitState.Base) * (long)Unit);
        var data = model.States.Count(state => state == UnitState.Data) * (long)Unit;
        Assert.Equal(Math.Min(Size, data + shown), image.AllocatedBytes);
        await CheckMapAsync(image.Allocation, unit => model.States[unit] switch
        {
            UnitState.Data => true,
            UnitState.Zero => false,
            _ => content.AsSpan(unit * Unit, Math.Min(Unit, Size - (unit * Unit))).ContainsAnyExcept((byte)0),
        });
        await CheckMapAsync(image.Damage, unit => model.States[unit] == UnitState.Base && damage.Has(unit));
        await CheckMapAsync(image.ChangesOver(null), unit => model.States[unit] != UnitState.Base);
    }

    private static async Task CheckMapAsync(IExtentMap map, Func<int, bool> isMarked)
    {
        foreach (var extentsMax in new[] { 1, 3, 1000 })
        {
            var extents = await map.ListAsync(0, Size, extentsMax);
            long end = 0;
            foreach (var extent in extents)
            {
                Assert.Equal(end, extent.Offset);
                end = extent.End;
                for (var at = extent.Offset; at < end; at = ((at / Unit) + 1) * Unit)
                {
                    Assert.Equal(isMarked((int)(at / Unit)), extent.IsMarked);
                }
            }

            Assert.Equal(Size, end);
        }
    }

    private sealed record Damage(int First, int Count)
    {
        public bool Has(long unit) => unit >= First && unit < First + Count;
    }
}
