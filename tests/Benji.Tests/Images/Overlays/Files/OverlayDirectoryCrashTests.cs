using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Testing.Disks;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Images.Overlays.Files;

/// <summary>The directory of overlays when the power goes: what returned stands, and nothing is half there.</summary>
public sealed class OverlayDirectoryCrashTests
{
    private const string Root = "/overlays";
    private const int Seeds = 20;

    private readonly SimulatedDisk _disk = new();
    private readonly OverlayHeader _header = OverlayBench.NewHeader(new ByteImages().Add("disk/one", new byte[10_000]).Version);

    [Fact]
    public void AnOverlayThatWasMadeIsThere()
    {
        Open().Create(_header);

        _disk.RestartWithSyncedOnly();

        Assert.Equal([(_header.Id, false)], Open().List());
        AssertSound(Open());
    }

    [Fact]
    public void ADiscardThatWasBegunIsBegun()
    {
        Open().Create(_header);
        Open().BeginDiscard(_header.Id);

        _disk.RestartWithSyncedOnly();

        Assert.Equal([(_header.Id, true)], Open().List());
        AssertSound(Open());
    }

    /// <summary>Else the next start, which knows of no writer, may find the old name and delete what was written.</summary>
    [Fact]
    public void ADiscardThatWasTakenBackIsTakenBack()
    {
        Open().Create(_header);
        Open().BeginDiscard(_header.Id);
        Open().Open(_header.Id, mayWrite: true).Dispose();

        _disk.RestartWithSyncedOnly();

        Assert.Equal([(_header.Id, false)], Open().List());
        AssertSound(Open());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AnOverlayThatWasDeletedIsGone(bool isDiscarded)
    {
        Open().Create(_header);
        if (isDiscarded)
        {
            Open().BeginDiscard(_header.Id);
        }

        Open().Delete(_header.Id);

        _disk.RestartWithSyncedOnly();

        Assert.Empty(_disk.Names);
    }

    /// <summary>Its header may have reached the disk or not; its name stands for all of it or is not there.</summary>
    [Fact]
    public void AnOverlayThatIsBeingMadeIsWholeOrNotThere() => AtEveryStep(
        begin: _ => { },
        change: overlays => overlays.Create(_header),
        check: found => Assert.True(found is [] or [false]));

    [Fact]
    public void AnOverlayThatIsBeingDiscardedHasOneOfItsNames() => AtEveryStep(
        begin: overlays => overlays.Create(_header),
        change: overlays => overlays.BeginDiscard(_header.Id),
        check: found => Assert.Single(found));

    [Fact]
    public void AnOverlayWhoseDiscardIsBeingTakenBackHasOneOfItsNames() => AtEveryStep(
        begin: overlays =>
        {
            overlays.Create(_header);
            overlays.BeginDiscard(_header.Id);
        },
        change: overlays => overlays.Open(_header.Id, mayWrite: true).Dispose(),
        check: found => Assert.Single(found));

    [Fact]
    public void ACreationThatFailsLeavesNothingAndCanBeRepeated()
    {
        for (var step = 1; ; step++)
        {
            var start = _disk.Steps;
            _disk.Fails = at => at.Kind != DiskStepKind.Read && _disk.Steps == start + step;
            var failure = Record.Exception(() => Open().Create(_header));
            _disk.Fails = null;
            if (failure is null)
            {
                Assert.True(step > 4);
                AssertSound(Open());
                return;
            }

            Assert.IsType<StorageException>(failure);
            Open().Delete(_header.Id);
            Assert.Empty(_disk.Names);
        }
    }

    private OverlayDirectory Open() => new(Root, new SimulatedOverlayFiles(_disk));

    private void AssertSound(OverlayDirectory overlays)
    {
        using var file = overlays.Open(_header.Id, mayWrite: false);
        Assert.Equal(_header, file.Header);
        Assert.Equal(0, file.Count().Dirty);
    }

    private void AtEveryStep(
        Action<OverlayDirectory> begin, Action<OverlayDirectory> change, Action<IReadOnlyList<bool>> check)
    {
        for (var step = 1; ; step++)
        {
            for (var seed = 0; seed < Seeds; seed++)
            {
                begin(Open());
                var start = _disk.Steps;
                _disk.LosesPowerAt = at => at.Kind != DiskStepKind.Read && _disk.Steps == start + step;
                var end = Record.Exception(() => change(Open()));
                _disk.LosesPowerAt = null;
                if (end is null)
                {
                    Assert.True(step > 2);
                    return;
                }

                Assert.IsType<PowerLossException>(end);
                _disk.Restart(new Random(seed), new PowerLossModel(512, MayLoseCutsAlone: true));
                var found = Open().List();
                check([.. found.Select(overlay => overlay.IsDiscarded)]);
                if (found.Count > 0)
                {
                    AssertSound(Open());
                }

                Open().Delete(_header.Id);
                foreach (var name in _disk.Names.ToList())
                {
                    _disk.Delete(name, _disk.Life);
                }

                _disk.SyncNames();
            }
        }
    }
}
