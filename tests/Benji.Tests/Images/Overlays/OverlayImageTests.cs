using Benji.Store.Images;
using Benji.Store.Images.Overlays;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Disks;
using Benji.Testing.Serving;
using Benji.Tests.Transforms;
using Xunit;

namespace Benji.Tests.Images.Overlays;

public sealed class OverlayImageTests : IDisposable
{
    private const int Unit = OverlayLayout.UnitSize;
    private const int Size = 100 * Unit;

    private readonly TemporaryDirectory _directory = new();
    private readonly byte[] _content = new byte[Size];

    public OverlayImageTests() => new Random(1).NextBytes(_content);

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task ReadsAtHandAllocateNothing()
    {
        await using var image = await OpenOnFileAsync();
        await image.WriteAsync(10 * Unit, _content.AsMemory(0, 40 * Unit), CancellationToken.None);
        await image.ZeroAsync(20 * Unit, 3 * Unit, mayFreeSpace: true, CancellationToken.None);
        using var pieces = new ImagePieces();
        foreach (var (offset, length) in new[] { (11 * Unit, Unit), (8 * Unit, 60 * Unit), (5, 100), (21 * Unit, 7) })
        {
            Allocation.IsNone(
                () =>
                {
                    Assert.True(image.TryRead(offset, length, pieces));
                    pieces.Clear();
                },
                times: 1000);
        }
    }

    [Fact]
    public async Task PiecesOfAReadStayAsTheyWereWhenTheUnitIsWritten()
    {
        await using var image = await OpenOnFileAsync();
        await image.WriteAsync(0, _content.AsMemory(Unit, Unit), CancellationToken.None);
        using var pieces = new ImagePieces();
        Assert.True(image.TryRead(0, Unit, pieces));
        await image.WriteAsync(0, new byte[Unit], CancellationToken.None);
        Assert.Equal(_content[Unit..(2 * Unit)], pieces.Pieces[0].Memory.ToArray());
    }

    [Fact]
    public async Task AWriteToADamagedUnitNeedsAllOfIt()
    {
        var bench = OnSimulatedDisk(out _);
        bench.Faults.Damaged = (Unit, Unit);
        await using var image = await bench.OpenAsync();
        var fault = await Assert.ThrowsAsync<DamagedImageException>(
            () => image.WriteAsync(Unit + 1, new byte[5], CancellationToken.None).AsTask());
        Assert.Contains("Block 7", fault.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<DamagedImageException>(
            () => image.ZeroAsync(Unit, 5, mayFreeSpace: true, CancellationToken.None).AsTask());
        Assert.Equal(0, image.DirtyBytes);
        await image.WriteAsync(Unit, _content.AsMemory(0, Unit), CancellationToken.None);
        await image.WriteAsync(Unit + 1, new byte[5], CancellationToken.None);
        Assert.Equal([_content[0], 0, 0, 0, 0, 0, _content[6]], await image.ReadBytesAsync(Unit, 7));
        Assert.False(Assert.Single(await image.Damage.ListAsync(0, Size)).IsMarked);
    }

    [Fact]
    public async Task DamagedMarksAreADamagedImage()
    {
        var bench = OnSimulatedDisk(out var disk);
        disk[SimulatedOverlayDisk.FileName].Write(OverlayLayout.PageOffset(0), [0xff]);
        await using var image = await bench.OpenAsync();
        using var pieces = new ImagePieces();
        Assert.False(image.TryRead(0, Unit, pieces));
        await Assert.ThrowsAsync<DamagedImageException>(() => image.ReadBytesAsync(0, Unit));
        await Assert.ThrowsAsync<DamagedImageException>(
            () => image.WriteAsync(0, new byte[Unit], CancellationToken.None).AsTask());
        await Assert.ThrowsAsync<DamagedImageException>(
            () => image.ZeroAsync(0, Unit, mayFreeSpace: true, CancellationToken.None).AsTask());
        await Assert.ThrowsAsync<DamagedImageException>(
            () => image.RevertAsync(0, Unit, CancellationToken.None).AsTask());
    }

    [Fact]
    public async Task AnUnreadableFileIsAStorageFailure()
    {
        var bench = OnSimulatedDisk(out var disk);
        await using var image = await bench.OpenAsync();
        await image.WriteAsync(0, new byte[Unit], CancellationToken.None);
        disk.Fails = step => step.Kind == DiskStepKind.Read;
        await Assert.ThrowsAsync<StorageException>(() => image.ReadBytesAsync(0, Unit));
        Assert.Equal(_content[Unit..(2 * Unit)], await image.ReadBytesAsync(Unit, Unit));
        disk.Fails = null;
        Assert.Equal(new byte[Unit], await image.ReadBytesAsync(0, Unit));
    }

    [Fact]
    public async Task ACancelledWriteChangesNothing()
    {
        await using var image = await OnSimulatedDisk(out _).OpenAsync();
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => image.WriteAsync(0, new byte[9], cancelled).AsTask());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => image.ZeroAsync(0, 9, mayFreeSpace: true, cancelled).AsTask());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => image.RevertAsync(0, Unit, cancelled).AsTask());
        Assert.Equal(0, image.DirtyBytes);
    }

    [Fact]
    public async Task WhoLostTheClaimWritesNoMore()
    {
        var bench = OnSimulatedDisk(out var disk);
        using var lost = new CancellationTokenSource();
        var (core, _) = await bench.OpenPartsAsync(new HeldClock(), lost.Token);
        var image = new OverlayImage(bench.Entry, core, core.DisposeAsync);
        await image.WriteAsync(0, new byte[Unit], CancellationToken.None);
        await lost.CancelAsync();
        var steps = disk.Steps;
        foreach (var change in new Func<ValueTask>[]
        {
            () => image.WriteAsync(0, new byte[Unit], CancellationToken.None),
            () => image.ZeroAsync(0, Unit, mayFreeSpace: true, CancellationToken.None),
            () => image.RevertAsync(0, Unit, CancellationToken.None),
            () => image.FlushAsync(CancellationToken.None),
            image.DisposeAsync,
        })
        {
            var failure = await Assert.ThrowsAsync<StorageException>(async () => await change());
            Assert.Contains("lost its claim", failure.Message, StringComparison.Ordinal);
        }

        Assert.Equal(steps, disk.Steps);
        Assert.Equal(0, bench.OpenBases);
    }

    [Fact]
    public async Task WhatNobodyFlushesIsFlushedFromTimeToTime()
    {
        var bench = OnSimulatedDisk(out _);
        var clock = new HeldClock();
        var (core, file) = await bench.OpenPartsAsync(clock);
        await using var image = new OverlayImage(bench.Entry, core, core.DisposeAsync);
        await image.WriteAsync(0, new byte[Unit], CancellationToken.None);
        Assert.True(file.HasUnflushed);
        Assert.True(SpinWait.SpinUntil(() => clock.Count > 0, TimeSpan.FromSeconds(30)));
        clock.Release();
        Assert.True(SpinWait.SpinUntil(() => !file.HasUnflushed && clock.Count > 0, TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task AnImageWithoutBytesOpens()
    {
        var disk = new SimulatedDisk();
        var bench = new OverlayBench([], () => new SimulatedOverlayDisk(disk));
        SimulatedOverlayDisk.Create(disk, bench.Header);
        await using var image = await bench.OpenAsync();
        Assert.Equal(0, image.DirtyBytes);
        Assert.Empty(image.ListDirty());
    }

    private OverlayBench OnSimulatedDisk(out SimulatedDisk disk)
    {
        var made = disk = new SimulatedDisk();
        var bench = new OverlayBench(_content, () => new SimulatedOverlayDisk(made));
        SimulatedOverlayDisk.Create(disk, bench.Header);
        return bench;
    }

    private async Task<OverlayImage> OpenOnFileAsync()
    {
        var overlays = new OverlayDirectory(_directory.Path);
        OverlayBench? made = null;
        made = new OverlayBench(_content, () => new FileOverlayDisk(overlays.PathOf(made!.Header.Id), mayWrite: true));
        overlays.Create(made.Header);
        return await made.OpenAsync();
    }
}
