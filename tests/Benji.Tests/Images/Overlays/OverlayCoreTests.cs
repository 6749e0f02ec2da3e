using Benji.Store.Images.Overlays;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Disks;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Images.Overlays;

/// <summary>Flushes beside writers and readers: whom they serve, and whose space they free.</summary>
public sealed class OverlayCoreTests : IAsyncLifetime
{
    private const int Unit = OverlayLayout.UnitSize;

    private readonly SimulatedDisk _disk = new();
    private readonly byte[] _content = new byte[16 * Unit];
    private readonly OverlayBench _bench;
    private OverlayFile _file = null!;
    private OverlayImage _image = null!;

    public OverlayCoreTests()
    {
        new Random(1).NextBytes(_content);
        _bench = new OverlayBench(_content, () => new SimulatedOverlayDisk(_disk));
        SimulatedOverlayDisk.Create(_disk, _bench.Header);
    }

    public async Task InitializeAsync()
    {
        var (core, file) = await _bench.OpenPartsAsync(new HeldClock());
        (_file, _image) = (file, new OverlayImage(_bench.Entry, core, core.DisposeAsync));
    }

    public async Task DisposeAsync()
    {
        _disk.LosesPowerAt = null;
        if (_disk.Life == 0)
        {
            await _image.DisposeAsync();
        }
    }

    [Fact]
    public async Task WhatWasWrittenIsDurableWhenTheOverlayIsClosed()
    {
        await WriteAsync(0);
        await _image.DisposeAsync();

        _disk.RestartWithSyncedOnly();

        using var found = OverlayFile.Open(new SimulatedOverlayDisk(_disk));
        Assert.Equal(UnitState.Data, found.StateOf(0));
    }

    /// <summary>The writes of a flush, and space that is given back, are no changes of the content.</summary>
    [Fact]
    public async Task TheFileHasTheTimeOfTheLastChangeAfterAFlush()
    {
        await WriteAsync(0);
        var written = _image.LastChange;
        Assert.Equal(SimulatedFile.Now, _file.Modified);
        await _image.FlushAsync(CancellationToken.None);
        Assert.Equal(written, _file.Modified);

        await _image.RevertAsync(0, Unit, CancellationToken.None);
        var reverted = _image.LastChange;
        Assert.True(reverted >= written);
        await _image.FlushAsync(CancellationToken.None);
        Assert.Equal(reverted, _file.Modified);
        using var found = OverlayFile.Open(new SimulatedOverlayDisk(_disk));
        Assert.Equal(reverted, found.Modified);
    }

    /// <summary>A flush that is under way may have passed what was written since it began.</summary>
    [Fact]
    public async Task AFlushThatIsAskedForWhileAnotherIsUnderWayIsDone()
    {
        await WriteAsync(0);
        using var isSyncing = new ManualResetEventSlim();
        using var mayGoOn = new ManualResetEventSlim();
        _disk.LosesPowerAt = step =>
        {
            // The last sync of the first flush: its marks are written.
            if (step.Kind == DiskStepKind.Sync && _disk.Steps > 3 && !isSyncing.IsSet)
            {
                isSyncing.Set();
                mayGoOn.Wait(TimeSpan.FromSeconds(30));
            }

            return false;
        };
        var first = _image.FlushAsync(CancellationToken.None).AsTask();
        Assert.True(isSyncing.Wait(TimeSpan.FromSeconds(30)));
        await WriteAsync(1);
        var second = _image.FlushAsync(CancellationToken.None).AsTask();
        mayGoOn.Set();
        await Task.WhenAll(first, second);

        _disk.RestartWithSyncedOnly();

        using var found = OverlayFile.Open(new SimulatedOverlayDisk(_disk));
        Assert.Equal(UnitState.Data, found.StateOf(0));
        Assert.Equal(UnitState.Data, found.StateOf(1));
    }

    [Fact]
    public async Task SpaceIsNotFreedUnderAWriterOfItsUnitsButLater()
    {
        await WriteAsync(5);
        await _image.FlushAsync(CancellationToken.None);
        await _image.RevertAsync(5 * Unit, Unit, CancellationToken.None);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _bench.Faults.Reading = async (_, _) =>
        {
            await go.Task;
            throw new StorageException("The base is away, as told.", isTransient: false);
        };
        var writing = _image.WriteAsync((5 * Unit) + 7, new byte[9], CancellationToken.None).AsTask();
        var freed = FreedBy();

        await _image.FlushAsync(CancellationToken.None);

        Assert.Empty(freed);
        go.SetResult();
        await Assert.ThrowsAsync<StorageException>(() => writing);
        _bench.Faults.Reading = null;
        await WriteAsync(0);
        await _image.FlushAsync(CancellationToken.None);
        Assert.Equal([_bench.Header.Layout.DataOffset(5 * Unit)], freed);
    }

    /// <summary>Its token is none that the caller can cancel: half a unit would be neither the old one nor the new one.</summary>
    [Fact]
    public async Task AWriteThatHasBegunIsDoneThoughItsCallerGivesUp()
    {
        using var cancellation = new CancellationTokenSource();
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _bench.Faults.Reading = async (_, token) =>
        {
            await go.Task;
            token.ThrowIfCancellationRequested();
        };
        var writing = _image.WriteAsync(Unit + 7, new byte[] { 1, 2, 3 }, cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        go.SetResult();

        await writing;

        _bench.Faults.Reading = null;
        Assert.Equal([1, 2, 3], await _image.ReadBytesAsync(Unit + 7, 3));
        Assert.Equal(_content[Unit..(Unit + 7)], await _image.ReadBytesAsync(Unit, 7));
    }

    [Fact]
    public async Task AReadThatMeetsTheFreeingOfSpaceIsDoneAnew()
    {
        await WriteAsync(2);
        await WriteAsync(9);
        await _image.ZeroAsync(3 * Unit, Unit, mayFreeSpace: true, CancellationToken.None);

        // Once in the read that must not wait, and once in the one that may.
        var frees = 2;
        _disk.LosesPowerAt = step =>
        {
            if (step.Kind == DiskStepKind.Read && step.Offset == _bench.Header.Layout.DataOffset(2 * Unit) && frees-- > 0)
            {
                _file.Free(new UnitRange(12, 1));
            }

            return false;
        };

        var found = await _image.ReadBytesAsync(2 * Unit, 3 * Unit);

        Assert.Equal([.. Written, .. new byte[Unit], .. _content[(4 * Unit)..(5 * Unit)]], found);
    }

    private static byte[] Written { get; } = [.. Enumerable.Repeat((byte)0xab, Unit)];

    // Offsets at which the disk is punched from now on: the only writes of zeros alone.
    private List<long> FreedBy()
    {
        var freed = new List<long>();
        _disk.LosesPowerAt = step =>
        {
            if (step.Kind == DiskStepKind.Write && step.Offset == _bench.Header.Layout.DataOffset(5 * Unit))
            {
                freed.Add(step.Offset);
            }

            return false;
        };
        return freed;
    }

    private async Task WriteAsync(int unit) => await _image.WriteAsync(unit * Unit, Written, CancellationToken.None);
}
