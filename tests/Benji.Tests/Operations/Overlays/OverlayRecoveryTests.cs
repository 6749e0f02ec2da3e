using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Catalogs;
using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Benji.Testing.Serving;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Operations.Overlays;

public sealed class OverlayRecoveryTests : IAsyncLifetime
{
    private const int Block = 4 * BlockGeometry.FrameSize;

    private readonly StoreFixture _store = new();
    private readonly byte[] _content = RandomNumberGenerator.GetBytes(3 * Block);
    private VersionRecord _base = null!;
    private ImageEntry _overlay = null!;

    private static CancellationToken None => CancellationToken.None;

    private string File => Path.Combine(_store["overlays"], $"{_overlay.Id:N}.overlay");

    private string Discarded => Path.ChangeExtension(File, ".discarded");

    public async Task InitializeAsync()
    {
        _store.Images.Set("disk", [.. _content]);
        _base = (await _store.BackupAsync("disk", request => request with { Version = "v1" })).Version;
        _overlay = await _store.CreateOverlayAsync(_base.Name);
        await _store.WriteOverlayAsync(_overlay, 10, [1, 2, 3]);
        new byte[] { 1, 2, 3 }.CopyTo(_content, 10);
        await _store.CloseAsync();
    }

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [Fact]
    public async Task AFileThatTheCatalogDoesNotKnowGetsItsRowAgain()
    {
        await ChangeRowsAsync(overlays => overlays.Remove(_overlay.Id));
        Assert.Equal("disk/v1@fix", Assert.Single(await _store.ListOverlaysAsync()).Name);
        await CheckContentAsync();
    }

    [Fact]
    public async Task AnAdoptedOverlayWhoseNameIsTakenGetsItsIdBehindIt()
    {
        await ChangeRowsAsync(overlays =>
        {
            overlays.Remove(_overlay.Id);
            overlays.Add(new OverlayRecord(Guid.NewGuid(), "fix", _base.Id, _base.Name, _base.Date));
        });
        var names = (await _store.ListOverlaysAsync()).Select(entry => entry.Name).ToList();
        Assert.Contains($"disk/v1@fix-{_overlay.Id:N}"[..20], names);
        Assert.Contains("disk/v1@fix", names);
    }

    [Fact]
    public async Task WhatADeadCreationLeftIsDeleted()
    {
        var empty = await _store.CreateOverlayAsync(_base.Name, "empty");
        await _store.CloseAsync();
        await ChangeRowsAsync(overlays => overlays.Remove(empty.Id));
        Assert.Equal("disk/v1@fix", Assert.Single(await _store.ListOverlaysAsync()).Name);
        Assert.Single(_store.OverlayFiles());
    }

    [Fact]
    public async Task ABegunDiscardIsFinishedWithoutARowAndUndoneWithOne()
    {
        System.IO.File.Move(File, Discarded);
        await CheckContentAsync();
        Assert.True(System.IO.File.Exists(File));
        await _store.CloseAsync();
        System.IO.File.Move(File, Discarded);
        await ChangeRowsAsync(overlays => overlays.Remove(_overlay.Id));
        Assert.Empty(await _store.ListOverlaysAsync());
        Assert.Empty(_store.OverlayFiles());
    }

    [Fact]
    public async Task AnOverlayWhoseFileIsGoneIsListedAndCanBeRemoved()
    {
        System.IO.File.Delete(File);
        Assert.Equal(0, Assert.Single(await _store.ListOverlaysAsync()).Overlay!.DirtyBytes);
        await Assert.ThrowsAsync<NotFoundException>(() => _store.OpenOverlayAsync(_overlay));
        await Assert.ThrowsAsync<NotFoundException>(() => _store.PromoteAsync(_overlay));
        await _store.RemoveOverlayAsync(_overlay);
        Assert.Empty(await _store.ListOverlaysAsync());
    }

    [Fact]
    public async Task ADamagedFileWithoutARowIsLeftAlone()
    {
        await ChangeRowsAsync(overlays => overlays.Remove(_overlay.Id));
        await System.IO.File.WriteAllTextAsync(File, "no overlay");
        Assert.Empty(await _store.ListOverlaysAsync());
        Assert.Single(_store.OverlayFiles());
    }

    [Fact]
    public async Task AFileWhoseBaseIsGoneIsLeftAlone()
    {
        await ChangeRowsAsync(overlays => overlays.Remove(_overlay.Id));
        await using (var plain = await OpenAsync(overlayDirectory: "elsewhere"))
        {
            await plain.RemoveAsync(new RemoveRequest { Versions = ["disk/v1"], Force = true });
        }

        Assert.Empty(await _store.ListOverlaysAsync());
        Assert.Single(_store.OverlayFiles());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ARebuildAdoptsOverlaysFromTheirFiles(bool isDiscardBegun)
    {
        await _store.CreateOverlayAsync(_base.Name, "empty");
        await _store.CloseAsync();
        if (isDiscardBegun)
        {
            System.IO.File.Move(File, Discarded);
        }

        foreach (var path in Directory.EnumerateFiles(_store.DirectoryPath, "catalog*"))
        {
            System.IO.File.Delete(path);
        }

        var result = await BenjiStore.RebuildAsync(
            _store.Options, new RebuildRequest(), NullLoggerFactory.Instance, _store.Clock, NoProgress.Instance);
        Assert.Equal(1, result.Overlays);
        Assert.Empty(result.Problems);
        Assert.Equal("disk/v1@fix", Assert.Single(await _store.ListOverlaysAsync()).Name);
        await CheckContentAsync();
        Assert.Single(_store.OverlayFiles());
    }

    [Fact]
    public async Task ARebuildTakesOverlaysFromTheOldCatalogAndTellsOfFilesWithoutABase()
    {
        await _store.StoreAsync();
        await _store.CloseAsync();
        var stray = Path.Combine(_store["overlays"], $"{Guid.NewGuid():N}.overlay");
        await System.IO.File.WriteAllTextAsync(stray, "no overlay");
        var result = await BenjiStore.RebuildAsync(
            _store.Options,
            new RebuildRequest { Force = true },
            NullLoggerFactory.Instance,
            _store.Clock,
            NoProgress.Instance);
        Assert.Equal(1, result.Overlays);
        Assert.Contains(stray, Assert.Single(result.Problems));
        await CheckContentAsync();
    }

    // Changes the catalog as a crash, or a restore of an older one, would have left it.
    private async Task ChangeRowsAsync(Action<IOverlays> change)
    {
        await using var store = await OpenAsync(overlayDirectory: "elsewhere");
        await store.Catalog.WriteAsync(
            transaction =>
            {
                change(transaction.Overlays);
                return true;
            },
            None);
    }

    private Task<BenjiStore> OpenAsync(string overlayDirectory) => BenjiStore.OpenAsync(
        _store.Options with { OverlayDirectory = _store[overlayDirectory] },
        StoreUse.Change,
        NullLoggerFactory.Instance,
        _store.Clock);

    private Task CheckContentAsync() => _store.ChangeOverlayAsync(
        _overlay, async image => Assert.Equal(_content, await image.ReadAllAsync()));
}
