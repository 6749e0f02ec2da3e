using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Images.Overlays.Files;

public sealed class OverlayDirectoryTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly OverlayDirectory _overlays;
    private readonly OverlayHeader _header;

    public OverlayDirectoryTests()
    {
        _overlays = new OverlayDirectory(_directory["overlays"]);
        _header = OverlayBench.NewHeader(new ByteImages().Add("disk/one", new byte[100_000]).Version);
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void ADirectoryThatIsNotThereHoldsNothing()
    {
        Assert.Empty(_overlays.List());
        Assert.Null(_overlays.FindAllocated(_header.Id));
        _overlays.Delete(_header.Id);
        _overlays.BeginDiscard(_header.Id);
        _overlays.DeleteTemporary(TimeProvider.System.GetUtcNow());
        var refusal = Assert.Throws<NotFoundException>(() => _overlays.Open(_header.Id, mayWrite: true));
        Assert.Contains($"{_header.Id:N}", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ANewOverlayIsForItsOwnerOnlyAndTakesNoSpaceForItsImage()
    {
        _overlays.Create(_header with { Size = 1L << 40 });
        var path = _overlays.PathOf(_header.Id);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(_directory["overlays"]));
        Assert.Equal([(_header.Id, false)], _overlays.List());
        Assert.InRange(_overlays.FindAllocated(_header.Id)!.Value, 0, 65_536);
        using var file = _overlays.Open(_header.Id, mayWrite: false);
        Assert.Equal(_header.Name, file.Header.Name);
        Assert.Equal(0, file.Count().Dirty);
    }

    [Fact]
    public void ABegunDiscardIsTakenBackByWhoOpensTheOverlay()
    {
        _overlays.Create(_header);
        _overlays.BeginDiscard(_header.Id);
        Assert.Equal([(_header.Id, true)], _overlays.List());
        using (var file = _overlays.Open(_header.Id, mayWrite: false))
        {
            Assert.Equal(_header.Id, file.Header.Id);
        }

        Assert.Equal([(_header.Id, true)], _overlays.List());
        _overlays.Open(_header.Id, mayWrite: true).Dispose();
        Assert.Equal([(_header.Id, false)], _overlays.List());
    }

    [Fact]
    public void ADiscardedFileDoesNotTakeThePlaceOfOneThatIsThere()
    {
        _overlays.Create(_header with { Name = "old" });
        _overlays.BeginDiscard(_header.Id);
        _overlays.Create(_header);

        using var file = _overlays.Open(_header.Id, mayWrite: true);

        Assert.Equal(_header.Name, file.Header.Name);
        Assert.Equal(2, _overlays.List().Count);
    }

    [Fact]
    public void ADeletedOverlayIsGoneWhateverItsNameWas()
    {
        _overlays.Create(_header);
        _overlays.Delete(_header.Id);
        Assert.Empty(_overlays.List());
        _overlays.Create(_header);
        _overlays.BeginDiscard(_header.Id);
        _overlays.Delete(_header.Id);
        Assert.Empty(_overlays.List());
        Assert.Empty(Directory.EnumerateFiles(_directory["overlays"]));
    }

    [Fact]
    public void OtherFilesAreLeftAlone()
    {
        _overlays.Create(_header);
        File.WriteAllText(Path.Combine(_directory["overlays"], "notes.overlay"), "mine");
        File.WriteAllText(Path.Combine(_directory["overlays"], "README"), "mine");
        Assert.Equal([(_header.Id, false)], _overlays.List());
        _overlays.DeleteTemporary(TimeProvider.System.GetUtcNow().AddDays(1));
        Assert.Equal(3, Directory.EnumerateFiles(_directory["overlays"]).Count());
    }

    [Fact]
    public void HeadersOfADayToComeAreAsOld()
    {
        _overlays.Create(_header);
        File.WriteAllText(Path.Combine(_directory["overlays"], $".{Guid.NewGuid():N}.tmp"), "half");
        _overlays.DeleteTemporary(TimeProvider.System.GetUtcNow().AddYears(-1));
        Assert.Equal([_overlays.PathOf(_header.Id)], Directory.EnumerateFiles(_directory["overlays"]));
    }

    [Fact]
    public void HeadersThatAKilledCreationLeftAreDeletedWhenTheyAreOld()
    {
        _overlays.Create(_header);
        File.WriteAllText(Path.Combine(_directory["overlays"], $".{Guid.NewGuid():N}.tmp"), "half");
        _overlays.DeleteTemporary(TimeProvider.System.GetUtcNow());
        Assert.Equal(2, Directory.EnumerateFiles(_directory["overlays"]).Count());
        _overlays.DeleteTemporary(TimeProvider.System.GetUtcNow().AddHours(2));
        Assert.Equal([_overlays.PathOf(_header.Id)], Directory.EnumerateFiles(_directory["overlays"]));
    }

    [Fact]
    public void AFileSystemWithoutFilesOfThatLengthIsNamed()
    {
        var refusal = Record.Exception(() => _overlays.Create(_header with { Size = BlockGeometry.SizeMax }));
        if (refusal is not null)
        {
            Assert.IsType<StorageException>(refusal);
            Assert.Contains("has no files of", refusal.Message, StringComparison.Ordinal);
            Assert.Empty(_overlays.List());
            Assert.Empty(Directory.EnumerateFiles(_directory["overlays"]));
        }
    }
}
