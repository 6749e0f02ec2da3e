using Benji.Store.Blocks.Maps;
using Benji.Testing;
using Benji.Testing.Interleaving;
using Xunit;

namespace Benji.Tests.Operations.Cleanup;

/// <summary>Backups, removals, recoveries and cleanups without a grace period, interleaved step by step at random, some
/// killed between two steps, with a clock that jumps: after each, nothing is lost and nothing is left.</summary>
public sealed class CleanupInterleavingTests
{
    private const int Rounds = 50;

    [Fact]
    public Task NothingIsLostWhenNobodyDies() => RunAsync(killsPerThousandMax: 0);

    [Fact]
    public Task NothingIsLostWhenProcessesDie() => RunAsync(killsPerThousandMax: 40);

    private static Task RunAsync(int killsPerThousandMax) => Seeded.RunAsync(async random =>
    {
        for (var round = 0; round < Rounds; round++)
        {
            var world = await CleanupWorld.OpenAsync();

            // Few places and values make equal blocks, deltas of each other and equal pages; many make partitions.
            var style = random.Next(4) switch
            {
                0 => new Style(Places: 300, Values: 4),
                1 => new Style(Places: 3, Values: 3),
                _ => new Style(Places: 2, Values: 3, HasHoles: false),
            };
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
            await process.BackUpAsync(Volume(random), 300, Edit(style, random), random);
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
        switch (number switch { 0 => 0, 1 => 1, _ => random.Next(6) })
        {
            case 0:
                await process.CleanUpAsync(
                    TimeSpan.Zero, random.Next(2) == 0 ? null : new MarkSets(16, 8), random.Next(2) == 0 ? 1 : 100);
                break;
            case 1 or 2 or 3:
                var size = style.Places < 300 ? 300 : random.Next(1, 600);
                await process.BackUpAsync(Volume(random), size, Edit(style, random), random, fails: random.Next(8) == 0);
                break;
            case 4:
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
        world.CheckVisible();
        await world.CheckScrubAsync();

        // The clock may have jumped back; what counts from now on is later than all that was.
        world.Clock.Advance(TimeSpan.FromDays(1));
        await process.CleanUpAsync(TimeSpan.Zero);
        await world.CheckAsync();
        await world.CheckExactAsync();
        // A clock that jumps back bends dates, which is warned of.
        Assert.All(world.Log.Lines, line => Assert.True(
            line.StartsWith("Information", StringComparison.Ordinal)
                || line.StartsWith("Debug", StringComparison.Ordinal)
                || line.Contains(" is dated ", StringComparison.Ordinal),
            line));
    }

    private static void MoveClock(ManualClock clock, int backwards, Random random) =>
        clock.Advance(random.Next(100) switch
        {
            var step when step < backwards => TimeSpan.FromSeconds(-random.Next(30)),
            < 60 => TimeSpan.Zero,
            _ => TimeSpan.FromMilliseconds(random.Next(2000)),
        });

    private static string Volume(Random random) => $"{(char)('a' + random.Next(3))}";

    // Some blocks change in a frame, others as a whole.
    private static Action<SortedDictionary<long, int>> Edit(Style style, Random random) => contents =>
    {
        for (var changes = random.Next(1, 5); changes > 0; changes--)
        {
            var index = random.Next(style.Places);
            var isNew = !contents.TryGetValue(index, out var content);
            var frames = isNew || random.Next(4) == 0
                ? Enumerable.Range(0, CleanupWorld.Frames)
                : [random.Next(CleanupWorld.Frames)];
            contents[index] = frames.Aggregate(
                content, (old, frame) => CleanupWorld.With(old, frame, random.Next(style.HasHoles ? 0 : 1, style.Values)));
        }
    };

    private sealed record Style(int Places, int Values, bool HasHoles = true);
}
