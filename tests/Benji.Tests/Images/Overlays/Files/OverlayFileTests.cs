using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Disks;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Images.Overlays.Files;

public sealed class OverlayFileTests : IDisposable
{
    private const int Unit = OverlayLayout.UnitSize;

    // As long as a file of ext4 may be, with room for the marks.
    private const long Large = 15L << 40;

    private readonly TemporaryDirectory _directory = new();
    private readonly OverlayDirectory _overlays;
    private readonly OverlayHeader _header =
        OverlayBench.NewHeader(new ByteImages().Add("disk/one", new byte[64 * Unit]).Version);

    public OverlayFileTests() => _overlays = new OverlayDirectory(_directory.Path);

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void ALargeOverlayIsReadWhereItIsLookedAt()
    {
        var header = _header with { Size = Large };
        var last = header.Layout.UnitCount - 1;
        _overlays.Create(header);
        using (var file = _overlays.Open(header.Id, mayWrite: true))
        {
            file.WriteUnits(new UnitRange(last, 1), Ones(Unit));
            file.WriteUnits(new UnitRange(last / 2, 1), Ones(Unit));
            file.Flush();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        using var again = _overlays.Open(header.Id, mayWrite: true);
        Assert.Equal(UnitState.Base, again.StateOf(0));
        Assert.Equal(UnitState.Data, again.StateOf(last));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
        Assert.Equal(last / 2, again.FindRunEnd(0, last + 1, out _));
        Assert.Equal(last, again.FindRunEnd((last / 2) + 1, last + 1, out _));
        Assert.Equal(2, again.Count().Dirty);
    }

    [Fact]
    public void ZerosOfALargeImageTakeLittleMemory()
    {
        // Twice as many pages of marks as are kept.
        var header = _header with { Size = 2L << 40 };
        _overlays.Create(header);
        using var file = _overlays.Open(header.Id, mayWrite: true);
        var before = GC.GetAllocatedBytesForCurrentThread();
        file.Zero(new UnitRange(0, header.Layout.UnitCount), mayFreeSpace: true);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
        Assert.Equal(header.Layout.UnitCount, file.Count().Dirty);
        Assert.Equal(header.Layout.UnitCount, file.FindRunEnd(0, header.Layout.UnitCount, out var state));
        Assert.Equal(UnitState.Zero, state);
    }

    [Fact]
    public void ZerosThatMayFreeSpaceFreeItAndRevertedUnitsAfterAFlush()
    {
        _overlays.Create(_header);
        using var file = _overlays.Open(_header.Id, mayWrite: true);
        var empty = Allocated;
        file.WriteUnits(new UnitRange(0, 64), Ones(64 * Unit));
        file.Flush();
        Assert.InRange(Allocated, empty + (64 * Unit), empty + (68 * Unit));
        file.Zero(new UnitRange(0, 32), mayFreeSpace: true);
        Assert.InRange(Allocated, empty + (32 * Unit), empty + (36 * Unit));
        file.Revert(new UnitRange(32, 32));
        Assert.InRange(Allocated, empty + (32 * Unit), empty + (36 * Unit));
        foreach (var range in file.Flush())
        {
            file.Free(range);
        }

        Assert.InRange(Allocated, empty, empty + (4 * Unit));
    }

    [Fact]
    public void ZerosThatKeepTheirSpaceHaveIt()
    {
        _overlays.Create(_header);
        using var file = _overlays.Open(_header.Id, mayWrite: true);
        file.Zero(new UnitRange(0, 64), mayFreeSpace: false);
        Assert.True(Allocated >= 64 * Unit);
        Assert.Equal(UnitState.Zero, file.StateOf(63));
    }

    [Fact]
    public void ASyncThatFailedEndsAllWriting()
    {
        var disk = new SimulatedDisk();
        SimulatedOverlayDisk.Create(disk, _header);
        using var file = OverlayFile.Open(new SimulatedOverlayDisk(disk));
        file.WriteUnits(new UnitRange(0, 1), Ones(Unit));
        disk.Fails = step => step.Kind == DiskStepKind.Sync;
        var failure = Assert.Throws<StorageException>(file.Flush);
        Assert.Contains("could not be made durable", failure.Message, StringComparison.Ordinal);
        disk.Fails = null;
        Assert.True(file.HasUnflushed);
        Assert.Throws<StorageException>(file.Flush);
        Assert.Throws<StorageException>(() => file.WriteUnits(new UnitRange(0, 1), Ones(Unit)));
        Assert.Throws<StorageException>(() => file.Write(0, Ones(1)));
        Assert.Throws<StorageException>(() => file.Zero(new UnitRange(0, 1), mayFreeSpace: true));
        Assert.Throws<StorageException>(() => file.Revert(new UnitRange(0, 1)));
        Assert.Equal(UnitState.Data, file.StateOf(0));
    }

    /// <summary>The marks are written by then, and nothing but the failure tells that they may not be durable.</summary>
    [Fact]
    public void ASyncOfMarksThatFailedIsToldByEveryFlush()
    {
        var disk = new SimulatedDisk();
        SimulatedOverlayDisk.Create(disk, _header);
        using var file = OverlayFile.Open(new SimulatedOverlayDisk(disk));
        file.WriteUnits(new UnitRange(0, 1), Ones(Unit));
        var syncs = 0;
        disk.Fails = step => step.Kind == DiskStepKind.Sync && ++syncs == 2;
        Assert.Throws<StorageException>(file.Flush);
        Assert.True(file.HasUnflushed);
        Assert.Throws<StorageException>(file.Flush);
    }

    [Fact]
    public void MarksThatCouldNotBeWrittenAreWrittenByTheNextFlush()
    {
        var disk = new SimulatedDisk();
        SimulatedOverlayDisk.Create(disk, _header);
        using (var file = OverlayFile.Open(new SimulatedOverlayDisk(disk)))
        {
            file.WriteUnits(new UnitRange(5, 1), Ones(Unit));
            disk.Fails = step => step.Kind == DiskStepKind.Write;
            Assert.Throws<StorageException>(file.Flush);
            Assert.True(file.HasUnflushed);
            disk.Fails = null;
            file.Flush();
            Assert.False(file.HasUnflushed);
        }

        using var again = OverlayFile.Open(new SimulatedOverlayDisk(disk));
        Assert.Equal(UnitState.Data, again.StateOf(5));
    }

    [Fact]
    public void AFlushOfNothingTouchesNothing()
    {
        var disk = new SimulatedDisk();
        SimulatedOverlayDisk.Create(disk, _header);
        using var file = OverlayFile.Open(new SimulatedOverlayDisk(disk));
        var before = disk.Steps;
        Assert.False(file.HasUnflushed);
        Assert.Empty(file.Flush());
        Assert.Equal(before, disk.Steps);
    }

    [Fact]
    public void DamagedMarksAreNamedAndOthersAreFine()
    {
        var header = _header with { Size = (2L * OverlayLayout.PageUnits * Unit) + 5 };
        _overlays.Create(header);
        using (var bytes = File.OpenWrite(_overlays.PathOf(header.Id)))
        {
            bytes.Position = OverlayLayout.PageOffset(1);
            bytes.WriteByte(0b11);
        }

        using var file = _overlays.Open(header.Id, mayWrite: true);
        Assert.Equal(UnitState.Base, file.StateOf(0));
        var damage = Assert.Throws<CorruptDataException>(() => file.StateOf(OverlayLayout.PageUnits));
        Assert.Contains("67108864 bytes from 67108864", damage.Message, StringComparison.Ordinal);
        file.WriteUnits(new UnitRange(0, 1), Ones(Unit));
        file.Flush();
        Assert.Throws<CorruptDataException>(
            () => file.WriteUnits(new UnitRange(OverlayLayout.PageUnits, 1), Ones(Unit)));
        Assert.Throws<CorruptDataException>(() => file.Count().Dirty);
    }

    /// <summary>Freed units are zeros for a moment, and show the base a moment before: neither is what was written.</summary>
    [Fact]
    public void AReadBesideTheFreeingOfSpaceIsToBeginAnew()
    {
        var disk = new SimulatedDisk();
        SimulatedOverlayDisk.Create(disk, _header);
        using var file = OverlayFile.Open(new SimulatedOverlayDisk(disk));
        file.WriteUnits(new UnitRange(0, 8), Ones(8 * Unit));
        file.Revert(new UnitRange(0, 4));
        var freed = Assert.Single(file.Flush());
        var before = file.BeginRead();
        var bytes = new byte[Unit];
        Assert.True(file.TryRead(before, 4 * Unit, bytes));
        var during = new List<bool>();
        long begun = 0;
        disk.LosesPowerAt = step =>
        {
            if (step.Kind == DiskStepKind.Write)
            {
                begun = file.BeginRead();
                during.AddRange([file.TryRead(before, 4 * Unit, bytes), file.TryRead(begun, 4 * Unit, bytes)]);
            }

            return false;
        };

        file.Free(freed);

        Assert.Equal([false, false], during);
        Assert.False(file.TryRead(before, 4 * Unit, bytes));
        Assert.False(file.TryRead(begun, 4 * Unit, bytes));
        Assert.True(file.TryRead(file.BeginRead(), 4 * Unit, bytes));
        Assert.Equal(Ones(Unit), bytes);
    }

    [Fact]
    public void SpaceIsFreedOfUnitsThatStillShowTheBase()
    {
        var disk = new SimulatedDisk();
        SimulatedOverlayDisk.Create(disk, _header);
        using var file = OverlayFile.Open(new SimulatedOverlayDisk(disk));
        file.WriteUnits(new UnitRange(0, 4), Ones(4 * Unit));
        file.Revert(new UnitRange(0, 4));
        var freed = Assert.Single(file.Flush());
        file.WriteUnits(new UnitRange(1, 2), Ones(2 * Unit));

        file.Free(freed);

        var bytes = new byte[4 * Unit];
        Assert.True(file.TryRead(file.BeginRead(), 0, bytes));
        Assert.Equal([.. new byte[Unit], .. Ones(2 * Unit), .. new byte[Unit]], bytes);
    }

    [Fact]
    public void SpaceThatAFailedFlushDidNotFreeIsFreedByTheNext()
    {
        var disk = new SimulatedDisk();
        SimulatedOverlayDisk.Create(disk, _header);
        using var file = OverlayFile.Open(new SimulatedOverlayDisk(disk));
        file.WriteUnits(new UnitRange(0, 4), Ones(4 * Unit));
        file.Revert(new UnitRange(0, 4));
        disk.Fails = step => step.Kind == DiskStepKind.Write;
        Assert.Throws<StorageException>(file.Flush);
        disk.Fails = null;

        Assert.Equal([new UnitRange(0, 4)], file.Flush());
        Assert.Empty(file.Flush());
    }

    [Fact]
    public void AFileThatWasCutIsRefusedOrFoundOut()
    {
        var disk = new SimulatedDisk();
        SimulatedOverlayDisk.Create(disk, _header);
        using (var file = OverlayFile.Open(new SimulatedOverlayDisk(disk)))
        {
            file.WriteUnits(new UnitRange(63, 1), Ones(Unit));
            disk[SimulatedOverlayDisk.FileName].Truncate(_header.Layout.FileLength - 1);
            var cut = Assert.Throws<StorageException>(() => file.TryRead(file.BeginRead(), 63 * Unit, new byte[Unit]));
            Assert.Contains("it was cut", cut.Message, StringComparison.Ordinal);
        }

        var refusal = Assert.Throws<CorruptDataException>(() => OverlayFile.Open(new SimulatedOverlayDisk(disk)));
        Assert.Contains("it was cut", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileThatIsRefusedIsClosed()
    {
        _overlays.Create(_header);
        using (var bytes = File.OpenWrite(_overlays.PathOf(_header.Id)))
        {
            bytes.WriteByte(0);
        }

        using var disk = new FileOverlayDisk(_overlays.PathOf(_header.Id), mayWrite: true);
        Assert.Throws<CorruptDataException>(() => OverlayFile.Open(disk));
        Assert.Throws<ObjectDisposedException>(() => disk.Length);
    }

    private long Allocated => _overlays.FindAllocated(_header.Id)!.Value;

    private static byte[] Ones(int length)
    {
        var bytes = new byte[length];
        Array.Fill<byte>(bytes, 1);
        return bytes;
    }
}
