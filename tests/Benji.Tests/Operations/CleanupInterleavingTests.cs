using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Interleaving;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>Backups, removals, recoveries and cleanups without a grace period, interleaved step by step at random, some
/// killed between two steps, with a clock that jumps: after each, nothing is lost and nothing is left.</summary>
public sealed class CleanupInterleavingTests
{
    private const int Rounds = 25;

    [Fact]
    public Task NothingIsLostWhenNobodyDies() => RunAsync(killsPerThousandMax: 0);

    [Fact]
    public Task NothingIsLostWhenProcessesDie() => RunAsync(killsPerThousandMax: 40);

    private static Task RunAsync(int killsPerThousandMax) => Seeded.RunAsync(async random =>
    {
        for (var round = 0; round < Rounds; round++)
        {
            var world = new CleanupWorld();

            // Few places and contents make equal blocks and pages come again; many make deltas and partitions.
            var style = random.Next(2) == 0 ? new Style(Places: 2, Contents: 2) : new Style(Places: 300, Contents: 10);
            var backwards = random.Next(3) * 20;
            await SeedAsync(world, style, random);
            var steps = new Interleaver(random)
            {
                KillsPerThousand = random.Next(killsPerThousandMax + 1),
                BeforeStep = () => MoveClock(world.Clock, backwards, random),
            };
            var actors = Enumerable.Range(0, random.Next(3, 7)).Select(i => NewActor(world, style, steps, random, i));
            await steps.RunAsync([.. actors]);
            await CheckAsync(world);
        }
    });

    private static async Task SeedAsync(CleanupWorld world, Style style, Random random)
    {
        await using var process = await world.StartAsync();
        for (var i = random.Next(4); i > 0; i--)
        {
            await process.BackUpAsync(Volume(random), 300, Changes(style, random, style.Contents), random);
            world.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        for (var i = random.Next(3); i > 0; i--)
        {
            await process.RemoveAsync(random);
        }

        for (var i = random.Next(3); i > 0; i--)
        {
            // As a run that was killed before it recorded a block leaves it.
            await world.Objects.PutAsync(
                ObjectNames.Block(CleanupWorld.IdOf(style.Contents + i), BlockForm.Whole),
                new byte[10],
                CancellationToken.None);
            world.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        if (random.Next(2) == 0)
        {
            // Leaves candidates that nothing deletes yet.
            await process.CleanUpAsync(TimeSpan.FromHours(1));
        }
    }

    private static Actor NewActor(
        CleanupWorld world, Style style, Interleaver steps, Random random, int number)
    {
        CleanupProcess? process = null;
        var own = new Random(random.Next());
        return new Actor(
            async () =>
            {
                await steps.PassAsync();
                process = await world.StartAsync(steps);
                try
                {
                    for (var i = own.Next(1, 4); i > 0; i--)
                    {
                        await ActAsync(process, style, own, number);
                    }
                }
                finally
                {
                    // Also when it fails, so that nobody waits for its leases.
                    await process.DisposeAsync();
                }
            },
            () => process?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private static async Task ActAsync(CleanupProcess process, Style style, Random random, int number)
    {
        // The first always cleans up, the second always backs up.
        switch (number switch { 0 => 0, 1 => 1, _ => random.Next(5) })
        {
            case 0:
                await process.CleanUpAsync(TimeSpan.Zero, random.Next(2) == 0 ? null : (16, 8));
                break;
            case 1 or 2:
                var size = style.Places < 300 ? 300 : random.Next(1, 600);
                await process.BackUpAsync(Volume(random), size, Changes(style, random, style.Contents + 3), random);
                break;
            case 3:
                await process.RemoveAsync(random);
                break;
            default:
                await process.RecoverAsync();
                break;
        }
    }

    private static async Task CheckAsync(CleanupWorld world)
    {
        await world.CheckAsync();
        await using var process = await world.StartAsync();
        await process.RecoverAsync();
        await world.CheckAsync();

        // The clock may have jumped back; what counts from now on is later than all that was.
        world.Clock.Advance(TimeSpan.FromDays(1));
        await process.CleanUpAsync(TimeSpan.Zero);
        await world.CheckAsync();
        var (needed, there) = await world.CompareAsync();
        Assert.Equal(needed.Select(id => id.ToString()).Order(), there.Select(id => id.ToString()).Order());
        var rows = world.State.Blocks.Keys.Select(id => id.Hash).Concat(world.State.Pages.Keys.Select(id => id.Hash));
        Assert.Equal(needed.Order(), rows.Order());
    }

    private static void MoveClock(ManualClock clock, int backwards, Random random) =>
        clock.Advance(random.Next(100) switch
        {
            var step when step < backwards => TimeSpan.FromSeconds(-random.Next(30)),
            < 60 => TimeSpan.Zero,
            _ => TimeSpan.FromMilliseconds(random.Next(2000)),
        });

    private static string Volume(Random random) => random.Next(2) == 0 ? "a" : "b";

    private static Dictionary<long, int> Changes(Style style, Random random, int contents) =>
        Enumerable.Range(0, random.Next(1, 5)).Select(_ => (long)random.Next(style.Places)).Distinct()
            .ToDictionary(index => index, _ => random.Next(contents));

    private sealed record Style(int Places, int Contents);
}
