using Benji.Store.Images.Overlays.Files;
using Benji.Testing;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Images.Overlays.Files;

/// <summary>More pages than are kept in memory.</summary>
public sealed class MarkPagesTests
{
    private const int Kept = 50;
    private const int Pages = 3 * Kept;
    private const long Step = OverlayLayout.PageUnits;

    [Fact]
    public void PagesThatWereForgottenAreReadAgain() => Seeded.Run(random =>
    {
        using var directory = new TemporaryDirectory();
        var overlays = new OverlayDirectory(directory.Path);
        var header = OverlayBench.NewHeader(new ByteImages().Add("disk/one", new byte[1]).Version) with
        {
            Size = Pages * Step * OverlayLayout.UnitSize,
        };
        overlays.Create(header);
        using var disk = new FileOverlayDisk(overlays.PathOf(header.Id), mayWrite: true);
        var marks = new OverlayMarks(disk, header.Layout, Kept);
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

        Assert.Equal(states.Count(state => state != UnitState.Base), marks.CountDirty());
        using var again = overlays.Open(header.Id, mayWrite: false);
        Assert.Equal(states.Count(state => state != UnitState.Base), again.CountDirty());
    });
}
