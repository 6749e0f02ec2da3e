using Benji.Store.Images.Overlays.Files;
using Benji.Testing.Disks;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Images.Overlays.Files;

/// <summary>An overlay's file after a loss of power: what was flushed is there, and no mark without its data.</summary>
public sealed class OverlayFileCrashTests
{
    private const int Unit = OverlayLayout.UnitSize;
    private const int Seeds = 40;

    private readonly OverlayHeader _header =
        OverlayBench.NewHeader(new ByteImages().Add("disk/one", new byte[16 * Unit]).Version);

    private SimulatedDisk _disk = new();

    public OverlayFileCrashTests() => SimulatedOverlayDisk.Create(_disk, _header);

    [Fact]
    public void UnitsThatWereFlushedAreThere()
    {
        using (var file = Open())
        {
            file.WriteUnits(new UnitRange(0, 4), Filled(1, 4 * Unit));
            file.Zero(new UnitRange(8, 2), mayFreeSpace: true);
            file.Flush();
            file.Revert(new UnitRange(3, 1));
            file.Flush();
        }

        _disk.RestartWithSyncedOnly();

        using var found = Open();
        Assert.Equal(UnitState.Data, found.StateOf(2));
        Assert.Equal(UnitState.Base, found.StateOf(3));
        Assert.Equal(UnitState.Zero, found.StateOf(9));
        Assert.Equal(Filled(1, Unit), Read(found, 2));
    }

    /// <summary>No mark is changed, so that nothing but the write itself tells that there is something to flush.</summary>
    [Fact]
    public void APartOfAUnitThatWasFlushedIsThere()
    {
        using (var file = Open())
        {
            file.WriteUnits(new UnitRange(0, 1), Filled(1, Unit));
            file.Flush();
            Assert.False(file.HasUnflushed);
            file.Write(100, Filled(2, 50));
            Assert.True(file.HasUnflushed);
            file.Flush();
            Assert.False(file.HasUnflushed);
        }

        _disk.RestartWithSyncedOnly();

        using var found = Open();
        Assert.Equal([.. Filled(1, 100), .. Filled(2, 50), .. Filled(1, Unit - 150)], Read(found, 0));
    }

    /// <summary>Whatever of a flush reached the disk, at whichever of its steps the power went.</summary>
    [Fact]
    public void AMarkIsThereOnlyWithItsData()
    {
        for (var step = 1; ; step++)
        {
            for (var seed = 0; seed < Seeds; seed++)
            {
                _disk = new SimulatedDisk();
                SimulatedOverlayDisk.Create(_disk, _header);
                if (!LosesPowerInFlush(step))
                {
                    Assert.True(step > 3);
                    return;
                }

                _disk.Restart(new Random(seed), new PowerLossModel(512, MayLoseCutsAlone: true));
                using var found = Open();
                Assert.True(
                    found.StateOf(0) == UnitState.Base || Read(found, 0).AsSpan().SequenceEqual(Filled(1, Unit)),
                    $"step {step}, seed {seed}");
            }
        }
    }

    // False when the flush ends before the step.
    private bool LosesPowerInFlush(int step)
    {
        using var file = Open();
        file.WriteUnits(new UnitRange(0, 1), Filled(1, Unit));
        var start = _disk.Steps;
        _disk.LosesPowerAt = at => at.Kind != DiskStepKind.Read && _disk.Steps == start + step;
        var end = Record.Exception(file.Flush);
        _disk.LosesPowerAt = null;
        return end is not null;
    }

    private OverlayFile Open() => OverlayFile.Open(new SimulatedOverlayDisk(_disk));

    private static byte[] Read(OverlayFile file, long unit)
    {
        var bytes = new byte[Unit];
        Assert.True(file.TryRead(file.BeginRead(), unit * Unit, bytes));
        return bytes;
    }

    private static byte[] Filled(byte value, int length)
    {
        var bytes = new byte[length];
        Array.Fill(bytes, value);
        return bytes;
    }
}
