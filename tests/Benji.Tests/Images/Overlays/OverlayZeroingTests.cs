using Benji.Store.Images;
using Benji.Store.Images.Overlays;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Images.Overlays;

/// <summary>Large ranges become zeros at the cost of what they held.</summary>
public sealed class OverlayZeroingTests : IDisposable
{
    private const int Unit = OverlayLayout.UnitSize;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task AWholeImageOfManyTerabytesCostsWhatItHeld()
    {
        const long size = 15L << 40;
        using var file = Open(size);
        file.WriteUnits(new UnitRange(7, 1), new byte[Unit]);
        var allocated = new Held([new(1L << 40, 1 << 20)]);
        await Zeroing(file, allocated).RunAsync(0, size, mayFreeSpace: true);
        file.Flush();
        Assert.Equal(((1 << 20) / Unit) + 1, file.Count().Dirty);
        Assert.Equal(0, file.Count().Data);
        Assert.Equal(UnitState.Zero, file.StateOf(7));
        Assert.Equal(UnitState.Base, file.StateOf(8));
        Assert.InRange(new FileInfo(Directory.GetFiles(_directory.Path).Single()).Length, size, long.MaxValue);
        Assert.InRange(Allocated(), 0, 1 << 20);
    }

    [Fact]
    public async Task WhatNobodyCanTellMayBeData()
    {
        const long size = 256L << 20;
        using var file = Open(size);
        var allocated = new Held([]) { Fault = new StorageException("It is away, as told.", isTransient: false) };
        await Zeroing(file, allocated).RunAsync(0, size, mayFreeSpace: true);
        Assert.Equal(size / Unit, file.Count().Dirty);
    }

    [Fact]
    public async Task WithoutHolesAllOfItTakesItsSpace()
    {
        const long size = 80L << 20;
        using var file = Open(size);
        await Zeroing(file, new Held([])).RunAsync(0, size, mayFreeSpace: false);
        Assert.Equal(size / Unit, file.Count().Dirty);
    }

    [Fact]
    public async Task EveryByteReadsAsZerosWhateverItWas() => await Seeded.RunAsync(async random =>
    {
        var size = (300L << 20) + random.Next(Unit);
        using var file = Open(size);
        var held = new List<Extent>();
        for (var at = 0L; at < size - (1 << 20);)
        {
            at += random.Next(1, 500) * 65_536L;
            var length = Math.Min(size - at, random.Next(1, 50) * 65_536L);
            if (length > 0)
            {
                held.Add(new Extent(at, length, ExtentKind.Data));
            }

            at += length;
        }

        var units = (size + Unit - 1) / Unit;
        for (var i = 0; i < 20; i++)
        {
            var unit = random.NextInt64(units - 1);
            file.WriteUnits(new UnitRange(unit, 1), new byte[Unit]);
        }

        var first = random.NextInt64(1000) * Unit;
        await Zeroing(file, new Held([.. held.Select(extent => (extent.Offset, extent.Length))])).RunAsync(
            first, size - first, mayFreeSpace: true);
        for (var unit = first / Unit; unit < units; unit++)
        {
            var isHeld = held.Exists(extent => extent.Offset < (unit + 1) * Unit && extent.End > unit * Unit);
            var state = file.StateOf(unit);
            Assert.True(isHeld ? state == UnitState.Zero : state != UnitState.Data, $"unit {unit}: {state}");
        }

        foreach (var path in Directory.GetFiles(_directory.Path))
        {
            File.Delete(path);
        }
    });

    private static OverlayZeroing Zeroing(OverlayFile file, IExtentMap allocation) =>
        new(file, new OverlayExtents(file, allocation, isDataMarked: true, isZeroMarked: false));

    private OverlayFile Open(long size)
    {
        var header = OverlayBench.NewHeader(new ByteImages().Add("disk/one", new byte[Unit]).Version) with { Size = size };
        var overlays = new OverlayDirectory(_directory.Path);
        overlays.Create(header);
        return overlays.Open(header.Id, mayWrite: true);
    }

    private long Allocated() => new OverlayDirectory(_directory.Path) is var overlays
        ? overlays.FindAllocated(overlays.List().Single().Id)!.Value
        : 0;

    /// <summary>A base that holds data in some ranges.</summary>
    private sealed class Held(IReadOnlyList<(long Offset, long Length)> ranges) : IExtentMap
    {
        public StorageException? Fault { get; init; }

        public ValueTask ReadAsync(
            long offset, long length, int extentsMax, ICollection<MarkedExtent> extents, CancellationToken cancellationToken)
        {
            if (Fault is not null)
            {
                throw Fault;
            }

            var (at, end) = (offset, offset + length);
            foreach (var (start, size) in ranges.Where(range => range.Offset < end && range.Offset + range.Length > offset))
            {
                if (start > at)
                {
                    extents.Add(new MarkedExtent(at, start - at, IsMarked: false));
                    at = start;
                }

                var stop = Math.Min(end, start + size);
                extents.Add(new MarkedExtent(at, stop - at, IsMarked: true));
                at = stop;
            }

            if (at < end)
            {
                extents.Add(new MarkedExtent(at, end - at, IsMarked: false));
            }

            return ValueTask.CompletedTask;
        }
    }
}
