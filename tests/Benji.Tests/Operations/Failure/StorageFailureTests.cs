using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Posix;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Operations.Failure;

/// <summary>A storage that cannot be read is not a damaged one: at every call, for every kind of error, a command ends with the
/// exit code of a failure, marks nothing and writes no zeros.</summary>
public sealed class StorageFailureTests : IAsyncLifetime
{
    private FailureWorld _world = null!;

    public static TheoryData<string> Commands => [.. FailureWorld.Commands.Keys];

    public async Task InitializeAsync() => _world = await FailureWorld.OpenAsync();

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task AnyCallFailsWithAnyError(string command)
    {
        foreach (var errno in StorageFailures.Kinds)
        {
            await ForEachCallAsync(command, at => call => call.Number == at ? Failed(errno) : null, $"{errno} once");
        }
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task AllCallsFailFromOneOn(string command)
    {
        foreach (var errno in StorageFailures.Kinds.Append(Errno.Io))
        {
            await ForEachCallAsync(command, at => call => call.Number >= at ? Failed(errno) : null, $"{errno} on");
        }
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public Task TheStorageIsTakenAwayBeforeAnyCall(string command) =>
        ForEachCallAsync(command, at => call => call.Number >= at ? Away(call) : null, "away");

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task NoBlockCanBeReadFromTheDisk(string command)
    {
        var (failure, isDamaged, _) = await _world.RunAsync(
            command, call => IsReadOf(call, "blocks/") ? Failed(Errno.Io) : null);

        FailureWorld.AssertIsFailureOfStorage(failure, isDamaged, command);
        _world.AssertNothingIsMarked(command);
    }

    [Theory]
    [InlineData("deep-scrub", true)]
    [InlineData("restore", true)]
    [InlineData("image", false)]
    public async Task OneBlockThatTheDiskDoesNotGiveIsDamaged(string command, bool isMarked)
    {
        var row = _world.Catalog.Place.State.Blocks.Values.First(
            row => row.Form == BlockForm.Whole && row.Since.Second == _world.Second.Date.Second);
        var block = ObjectNames.Block(row.Id, BlockForm.Whole);

        var (failure, isDamaged, _) = await _world.RunAsync(
            command, call => IsReadOf(call, block.Value) ? Failed(Errno.Io) : null);

        Assert.Null(failure);
        Assert.True(isDamaged);
        Assert.Equal(isMarked, _world.Catalog.Place.State.Blocks.Values.Any(row => row.IsInvalid));
        Assert.Equal(
            isMarked ? VersionStatus.Invalid : VersionStatus.Valid,
            _world.Catalog.Place.State.Versions[_world.Second.Id].Status);
        Assert.Equal(VersionStatus.Valid, _world.Catalog.Place.State.Versions[_world.First.Id].Status);
    }

    [Fact]
    public async Task APageThatTheDiskDoesNotGiveIsWrittenAgain()
    {
        var page = _world.Objects.Names.First(name => name.Value.StartsWith("pages/", StringComparison.Ordinal));
        var isPut = false;

        var (failure, isDamaged, _) = await _world.RunAsync("deep-scrub", call =>
        {
            isPut |= call.Kind == StorageCallKind.Put && call.Name == page.Value;
            return !isPut && IsReadOf(call, page.Value) ? Failed(Errno.Io) : null;
        });

        Assert.Null(failure);
        Assert.False(isDamaged);
    }

    [Theory]
    [InlineData("blocks/")]
    [InlineData("pages/")]
    [InlineData("versions/")]
    public async Task ARebuildGoesOnWhereTheDiskDoesNotGiveOneObject(string prefix)
    {
        // Not every object is needed by a version, nor without another form.
        var problems = 0;
        foreach (var lost in _world.Objects.Names.Where(name => name.Value.StartsWith(prefix, StringComparison.Ordinal)).ToList())
        {
            problems += (await _world.RebuildAsync(call => IsReadOf(call, lost.Value) ? Failed(Errno.Io) : null)).Problems.Count;
        }

        Assert.True(problems > 0);

        await Assert.ThrowsAsync<StorageException>(
            () => _world.RebuildAsync(call => IsReadOf(call, prefix) ? Failed(Errno.Io) : null));
    }

    [Fact]
    public async Task ARestoreThatCannotReadTheFirstBlockLeavesItsTarget()
    {
        var name = await _world.BackUpWithHolesAsync();

        var (failure, target) = await _world.RestoreAsync(name, call => IsReadOf(call, "blocks/") ? Failed(Errno.AccessDenied) : null);

        Assert.IsType<StorageException>(failure);
        Assert.All(target, value => Assert.Equal(0xff, value));
    }

    private static Fault Failed(int errno) => new() { Before = StorageFailures.Of(errno) };

    // As a directory looks from which a file system was unmounted.
    private static Fault Away(StorageCall call) => call.Kind switch
    {
        StorageCallKind.Find or StorageCallKind.List or StorageCallKind.Delete => new Fault { Loses = true },
        StorageCallKind.Read => new Fault { Before = new NotFoundException("There is no such object.") },
        _ => Failed(Errno.NotFound),
    };

    private static bool IsReadOf(StorageCall call, string prefix) =>
        call.Kind == StorageCallKind.Read && call.Name.StartsWith(prefix, StringComparison.Ordinal);

    private async Task ForEachCallAsync(string command, Func<long, Func<StorageCall, Fault?>> scriptAt, string what)
    {
        var (state, objects) = (_world.Catalog.Place.State, _world.Objects.Copy());
        for (var (at, calls) = (0L, 1L); at < calls; at++)
        {
            _world.Catalog.Place.State = state;
            _world.Objects.PutBack(objects);
            var (failure, isDamaged, made) = await _world.RunAsync(command, scriptAt(at));
            calls = Math.Max(calls, made);
            var when = $"{command}, {what}, call {at}";
            FailureWorld.AssertIsFailureOfStorage(failure, isDamaged, when);
            _world.AssertNothingIsMarked(when);
        }
    }
}
