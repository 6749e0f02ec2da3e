using Benji.Store.Images.Overlays;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Disks;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Images.Overlays;

/// <summary>Fills the disk under an overlay at every unit in turn.</summary>
public sealed class OverlayFullDiskTests
{
    private const int Unit = OverlayLayout.UnitSize;
    private const int Size = (20 * Unit) + 300;
    private const int Steps = 60;

    // More than the script ever takes.
    private const int SpaceMax = 30;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public Task AFullDiskIsMetByWritesAndNeverByAFlush(bool knowsHoles) => Seeded.RunAsync(async random =>
    {
        var seed = random.Next();
        var refused = 0;
        for (var space = 0; space <= SpaceMax; space++)
        {
            refused += await RunAsync(new Random(seed), space, knowsHoles);
        }

        Assert.Equal(0, await RunAsync(new Random(seed), SpaceMax, knowsHoles));
        Assert.True(refused > SpaceMax / 2);
    });

    // Returns how many steps found the disk full.
    private static async Task<int> RunAsync(Random random, int space, bool knowsHoles)
    {
        var content = new byte[Size];
        random.NextBytes(content);
        var disk = new SimulatedDisk();
        SimulatedOverlayDisk? opened = null;
        var bench = new OverlayBench(content, () => opened = new SimulatedOverlayDisk(disk, knowsHoles));
        SimulatedOverlayDisk.Create(disk, bench.Header);
        var (core, _) = await bench.OpenPartsAsync(new HeldClock());
        var image = new OverlayImage(bench.Entry, core, core.DisposeAsync);
        opened!.SpaceLeft = space;
        var model = new OverlayModel(content);
        var refused = 0;
        for (var i = 0; i < Steps; i++)
        {
            var step = OverlayStep.Next(random, Size, unitsMax: 5);
            byte[] before = [.. model.Content];
            model.TryRun(step, _ => false);
            var failure = await Record.ExceptionAsync(async () => await step.RunAsync(image));
            if (failure is not null)
            {
                Assert.IsType<NoSpaceException>(failure);
                Assert.True(step.Action is OverlayAction.Write or OverlayAction.Trim or OverlayAction.Zero);
                refused++;
                await CheckRefusedAsync(image, step, before, model.Content);

                // With space it does what it could not.
                opened.SpaceLeft = null;
                await step.RunAsync(image);
                opened.SpaceLeft = 0;
            }

            Assert.Equal(model.Content, await image.ReadAllAsync());
        }

        await image.DisposeAsync();
        disk.Resume();
        await using var again = await bench.OpenCoreAsync();
        await using var reopened = new OverlayImage(bench.Entry, again, () => default);
        Assert.Equal(model.Content, await reopened.ReadAllAsync());
        return refused;
    }

    // Outside of the step nothing changed; in it each sector is as it was or as it was to be.
    private static async Task CheckRefusedAsync(OverlayImage image, OverlayStep step, byte[] before, byte[] after)
    {
        var found = await image.ReadAllAsync();
        for (var i = 0; i < Size; i++)
        {
            var isInside = i >= step.Offset && i < step.Offset + step.Length;
            Assert.True(found[i] == before[i] || (isInside && found[i] == after[i]));
        }

        await image.FlushAsync(CancellationToken.None);
        Assert.Equal(found, await image.ReadAllAsync());
    }
}
