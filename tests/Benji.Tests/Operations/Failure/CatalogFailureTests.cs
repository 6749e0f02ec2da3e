using Benji.Cli;
using Xunit;

namespace Benji.Tests.Operations.Failure;

/// <summary>A catalog whose disk fails at any step, with any kind of error: the command ends as one that failed or did all of
/// it, nothing is marked or published that is not so, and the store works afterwards.</summary>
public sealed class CatalogFailureTests : IAsyncLifetime
{
    private CatalogFailureWorld _world = null!;

    public static TheoryData<string> Commands => [.. CatalogFailureWorld.Commands.Keys];

    public async Task InitializeAsync() => _world = await CatalogFailureWorld.OpenAsync();

    public async Task DisposeAsync() => await _world.DisposeAsync();

    /// <summary>Each step once, each error at every ninth; the catalog's own test has all of both.</summary>
    [Theory]
    [MemberData(nameof(Commands))]
    public Task AnyStepFailsWithAnyError(string command) => ForEachStepAsync(command, 1, isForEver: false);

    [Theory]
    [MemberData(nameof(Commands))]
    public Task AllStepsFailFromOneOn(string command) => ForEachStepAsync(command, 4, isForEver: true);

    private async Task ForEachStepAsync(string command, int stride, bool isForEver)
    {
        var kinds = CatalogFailureWorld.Kinds;
        for (var (at, steps) = (0, 1); at < steps; at += stride)
        {
            var errno = kinds[at / stride % kinds.Count];
            var start = at;
            var (failure, isDamaged, made) = await _world.RunAsync(
                command, (number, _) => number == start || (isForEver && number > start) ? errno : null);
            steps = Math.Max(steps, made);
            var when = $"{command}, step {at}, error {errno}{(isForEver ? " on" : "")}: {failure}";
            Assert.True(failure is null || ExitCodes.Of(failure, isStopped: false) == ExitCodes.InputOutput, when);
            Assert.False(isDamaged, when);
            await _world.CheckAsync(command, failure is null, when);
        }
    }
}
