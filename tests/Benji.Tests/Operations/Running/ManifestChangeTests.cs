using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Tests.Operations.Age;
using Xunit;

namespace Benji.Tests.Operations.Running;

/// <summary>Changes of one version that meet each other, or its removal, at any step.</summary>
public sealed class ManifestChangeTests : IAsyncLifetime
{
    private readonly AgeWorld _world = new();
    private AgeCatalog _catalog = null!;
    private VersionRecord _version = null!;

    public async Task InitializeAsync()
    {
        _catalog = _world.NewCatalog();
        _world.Images.Set("a", RandomNumberGenerator.GetBytes(AgeWorld.BlockSize));
        _version = await _world.BackupAsync(_catalog, "a");
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task EachChangeIsARevisionOfItsOwn()
    {
        foreach (var revision in new[] { 1, 2 })
        {
            await LabelAsync($"label{revision}");
            Assert.Equal(_version.Revision + revision, _catalog.Place.State.Versions[_version.Id].Revision);
        }

        await LabelAsync("label2");
        Assert.Equal(_version.Revision + 2, _catalog.Place.State.Versions[_version.Id].Revision);
    }

    [Fact]
    public Task AChangeBringsNoRemovedVersionBack() => ForEachCallAsync(async wireOf =>
    {
        await RemoveAsync(wireOf(async () => await Record.ExceptionAsync(() => LabelAsync("late"))));
        Assert.Equal(0, _world.CountManifests());
    });

    [Fact]
    public Task WhatIsProtectedAtAnyStepOfItsRemovalStaysOrWasGone() => ForEachCallAsync(async wireOf =>
    {
        Exception? refusal = new NotFoundException("It was never protected.");
        var failure = await Record.ExceptionAsync(() => RemoveAsync(wireOf(async () => refusal = await Record.ExceptionAsync(
            () => _world.DoAsync(_catalog, store => store.ProtectAsync(_version.Name.ToString(), isProtected: true))))));
        Assert.Equal(refusal is null, failure is NotAllowedException);
        Assert.Equal(refusal is null ? 1 : 0, _world.CountManifests());
    });

    [Fact]
    public Task OfTwoChangesAtOnceNoneIsLost() => ForEachCallAsync(async wireOf =>
    {
        Task other = Task.CompletedTask;
        await LabelAsync("one", wireOf(async () =>
        {
            // It is done, or it waits for this one: then it asks again and again.
            var waits = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            other = LabelAsync("other", new Tripwire
            {
                At = 25,
                Then = () =>
                {
                    waits.SetResult();
                    return Task.CompletedTask;
                },
            });
            await Task.WhenAny(other, waits.Task);
        }));
        await other;
        var labels = _catalog.Place.State.Versions[_version.Id].Labels;
        Assert.Equal(other == Task.CompletedTask ? ["one"] : ["one", "other"], labels.Keys.Order());
    });

    private Task<VersionRecord> LabelAsync(string label, Tripwire? wire = null) => _world.DoAsync(
        _catalog,
        store => store.LabelAsync(_version.Name.ToString(), new Dictionary<string, string> { [label] = "y" }, []),
        wire);

    private Task RemoveAsync(Tripwire wire) => _world.RemoveAsync(_catalog, _version.Name, wire);

    // Something that happens right before each call of a command in turn; last, not at all.
    private async Task ForEachCallAsync(Func<Func<Func<Task>, Tripwire>, Task> command)
    {
        var (state, objects) = (_catalog.Place.State, _world.Main.Copy());
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            _catalog.Place.State = state;
            _world.Main.PutBack(objects);
            isHit = false;
            var number = at;
            await command(then => new Tripwire
            {
                At = number,
                Then = () =>
                {
                    isHit = true;
                    return then();
                },
            });
        }
    }
}
