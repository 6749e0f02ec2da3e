using Benji.Testing;
using Benji.Testing.Interleaving;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>Backups, removals, recoveries and cleanups without a grace period, interleaved step by step at random, some
/// killed between two steps, with a clock that jumps: after each, nothing is lost and nothing is left.</summary>
public sealed class CleanupInterleavingTests
{
    private const int Rounds = 25;
    private const int Contents = 10;

    [Fact]
    public Task NothingIsLostWhenNobodyDies() => RunAsync(killsPerThousand: 0);

    [Fact]
    public Task NothingIsLostWhenProcessesDie() => RunAsync(killsPerThousand: 8);

    private static Task RunAsync(int killsPerThousand) => Seeded.RunAsync(async random =>
    {
        for (var round = 0; round < Rounds; round++)
        {
            var world = new CleanupWorld();
            await SeedAsync(world, random);
            var steps = new Interleaver(random)
            {
                KillsPerThousand = killsPerThousand,
                BeforeStep = () => MoveClock(world.Clock, random),
            };
            var actors = Enumerable.Range(0, random.Next(3, 7)).Select(i => NewActor(world, steps, random, i));
            await steps.RunAsync([.. actors]);
            await CheckAsync(world);
        }
    });

    private static async Task SeedAsync(CleanupWorld world, Random random)
    {
        await using var process = await world.StartAsync();
        for (var i = random.Next(4); i > 0; i--)
        {
            await process.BackUpAsync(Volume(random), 300, Changes(random), random);
            world.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        for (var i = random.Next(3); i > 0; i--)
        {
            await process.RemoveAsync(random);
        }

        if (random.Next(2) == 0)
        {
            // Leaves candidates that nothing deletes yet.
            await process.CleanUpAsync(TimeSpan.FromHours(1));
        }
    }

    private static Actor NewActor(CleanupWorld world, Interleaver steps, Random random, int number)
    {
        CleanupProcess? process = null;
        var own = new Random(random.Next());
        return new Actor(
            async () =>
            {
                await steps.PassAsync();
                process = await world.StartAsync(steps);
                for (var i = own.Next(1, 4); i > 0; i--)
                {
                    await ActAsync(process, own, number);
                }

                await process.DisposeAsync();
            },
            () => process?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private static async Task ActAsync(CleanupProcess process, Random random, int number)
    {
        // The first always cleans up, the second always backs up.
        switch (number switch { 0 => 0, 1 => 1, _ => random.Next(5) })
        {
            case 0:
                await process.CleanUpAsync(TimeSpan.Zero, random.Next(2) == 0 ? null : (16, 8));
                break;
            case 1 or 2:
                await process.BackUpAsync(Volume(random), random.Next(1, 600), Changes(random), random);
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

    private static void MoveClock(ManualClock clock, Random random) =>
        clock.Advance(random.Next(20) switch
        {
            0 => TimeSpan.FromSeconds(-random.Next(30)),
            < 10 => TimeSpan.Zero,
            _ => TimeSpan.FromMilliseconds(random.Next(2000)),
        });

    private static string Volume(Random random) => random.Next(2) == 0 ? "a" : "b";

    private static Dictionary<long, int> Changes(Random random) =>
        Enumerable.Range(0, random.Next(1, 5)).Select(_ => (long)random.Next(300)).Distinct()
            .ToDictionary(index => index, _ => random.Next(Contents));
}
