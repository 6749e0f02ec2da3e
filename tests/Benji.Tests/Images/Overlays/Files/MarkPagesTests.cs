using Benji.Store.Images.Overlays.Files;
using Benji.Testing;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Images.Overlays.Files;

/// <summary>More pages than are kept in memory.</summary>
public sealed class MarkPagesTests : IDisposable
{
    private const int Kept = 50;
    private const int Pages = 3 * Kept;
    private const long Step = OverlayLayout.PageUnits;

    private readonly TemporaryDirectory _directory = new();
    private readonly OverlayDirectory _overlays;
    private readonly OverlayHeader _header = OverlayBench.NewHeader(new ByteImages().Add("disk/one", new byte[1]).Version) with
    {
        Size = Pages * Step * OverlayLayout.UnitSize,
    };

    public MarkPagesTests()
    {
        _overlays = new OverlayDirectory(_directory.Path);
        _overlays.Create(_header);
    }

    public void Dispose() => _directory.Dispose();

    /// <summary>The disk has the marks of the flush before until the write that is under way has come.</summary>
    [Fact]
    public void APageOnItsWayToTheDiskIsNotForgotten()
    {
        using var disk = new FileOverlayDisk(_overlays.PathOf(_header.Id), mayWrite: true);
        var marks = new OverlayMarks(disk, _header.Layout, pagesMax: 1);
        marks.Reserve(0, 1);
        marks.Set(0, 1, UnitState.Data);
        var snapshot = marks.Take([0]);
        for (var page = 1; page < 10; page++)
        {
            marks.Reserve(page * Step, 1);
        }

        Assert.Equal(UnitState.Data, marks.Get(0));
        marks.End(snapshot, wereWritten: false);
        Assert.Equal([0L], marks.ListChanged());
    }

    [Fact]
    public void AnOverlayOfTheLargestSizeTakesNoMemoryForWhatNobodyWrote()
    {
        var layout = new OverlayLayout(1L << 53);
        using var disk = new SparseDisk();
        var marks = new OverlayMarks(disk, layout);
        var before = GC.GetAllocatedBytesForCurrentThread();
        marks.Reserve(layout.UnitCount - 1, 1);
        marks.Set(layout.UnitCount - 1, 1, UnitState.Data);
        Assert.Equal(new UnitCounts(1, 1), marks.Count());
        Assert.Equal(layout.UnitCount - 1, marks.FindRunEnd(0, layout.UnitCount, out var state));
        Assert.Equal(UnitState.Base, state);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 * 1024 * 1024);
    }

    [Fact]
    public void PagesThatWereForgottenAreReadAgain() => Seeded.Run(random =>
    {
        using var disk = new FileOverlayDisk(_overlays.PathOf(_header.Id), mayWrite: true);
        var marks = new OverlayMarks(disk, _header.Layout, Kept);
        var sync = new OverlaySync(disk, marks);
        var states = new UnitState[Pages];
        for (var round = 0; round < 10; round++)
        {
            for (var i = 0; i < Pages / 2; i++)
            {
                var page = random.Next(Pages);
                states[page] = (UnitState)random.Next(3);
                marks.Reserve((page * Step) + page, 1);
                marks.Set((page * Step) + page, 1, states[page]);
            }

            sync.Run();
            Assert.False(sync.HasUnflushed);
            for (var page = 0; page < Pages; page++)
            {
                Assert.Equal(states[page], marks.Get((page * Step) + page));
            }
        }

        Assert.Equal(states.Count(state => state != UnitState.Base), marks.Count().Dirty);
        using var again = _overlays.Open(_header.Id, mayWrite: false);
        Assert.Equal(states.Count(state => state != UnitState.Base), again.Count().Dirty);
    });

    // A file of holes only, of any length.
    private sealed class SparseDisk : IOverlayDisk
    {
        public string Path => "sparse";

        public long Length => long.MaxValue;

        public DateTimeOffset Modified => default;

        public void SetModified(DateTimeOffset time) => throw new NotSupportedException();

        public int Read(long offset, Span<byte> destination)
        {
            destination.Clear();
            return destination.Length;
        }

        public void Write(long offset, ReadOnlySpan<byte> source) => throw new NotSupportedException();

        public bool Reserve(long offset, long length) => true;

        public void Punch(long offset, long length) => throw new NotSupportedException();

        public (long Start, long End)? FindData(long offset) => null;

        public void Sync() => throw new NotSupportedException();

        public void Dispose()
        {
            // Nothing is open.
        }
    }
}
