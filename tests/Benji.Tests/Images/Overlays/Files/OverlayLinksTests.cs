using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Images.Overlays.Files;

/// <summary>Puts symbolic links into the directory of overlays.</summary>
public sealed class OverlayLinksTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly TemporaryDirectory _outside = new();
    private readonly OverlayDirectory _overlays;
    private readonly OverlayHeader _header;

    public OverlayLinksTests()
    {
        _overlays = new OverlayDirectory(_directory["overlays"]);
        _header = OverlayBench.NewHeader(new ByteImages().Add("disk/one", new byte[100_000]).Version);
        _overlays.Create(_header);
    }

    public void Dispose()
    {
        _directory.Dispose();
        _outside.Dispose();
    }

    [Theory]
    [InlineData("sound")]
    [InlineData("missing")]
    [InlineData("itself")]
    public void ALinkInThePlaceOfAnOverlayIsRefusedByEveryStep(string target)
    {
        var path = _overlays.PathOf(_header.Id);
        File.Move(path, _outside["sound"]);
        File.CreateSymbolicLink(path, target == "itself" ? path : _outside[target]);
        var before = FolderSnapshot.Take(_outside.Path);
        var steps = new Dictionary<string, Action>
        {
            ["open"] = () => _overlays.Open(_header.Id, mayWrite: true).Dispose(),
            ["read"] = () => _overlays.Open(_header.Id, mayWrite: false).Dispose(),
            ["list"] = () => _overlays.List(),
            ["find"] = () => _overlays.FindAllocated(_header.Id),
            ["begin"] = () => _overlays.BeginDiscard(_header.Id),
            ["undo"] = () => _overlays.UndoDiscard(_header.Id),
            ["delete"] = () => _overlays.Delete(_header.Id),
            ["create"] = () => _overlays.Create(_header),
        };
        foreach (var (name, step) in steps)
        {
            var refusal = Assert.Throws<ConfigurationException>(step);
            Assert.Contains($"{path} is a symbolic link", refusal.Message, StringComparison.Ordinal);
            Assert.Equal((name, before), (name, FolderSnapshot.Take(_outside.Path)));
            Assert.NotNull(new FileInfo(path).LinkTarget);
        }
    }

    [Fact]
    public void ALinkWithTheNameOfADiscardIsNotReplaced()
    {
        var path = Path.ChangeExtension(_overlays.PathOf(_header.Id), ".discarded");
        File.CreateSymbolicLink(path, _outside["missing"]);
        Assert.Throws<ConfigurationException>(() => _overlays.BeginDiscard(_header.Id));
        Assert.NotNull(new FileInfo(path).LinkTarget);
        Assert.True(File.Exists(_overlays.PathOf(_header.Id)));
    }

    [Fact]
    public void OnlyTheNamesThatACreationGivesAreDeletedAsLeft()
    {
        var strangers = new[] { ".notes.tmp", $".{Guid.NewGuid()}.tmp", $"{Guid.NewGuid():N}.tmp" };
        foreach (var name in strangers)
        {
            File.WriteAllText(Path.Combine(_directory["overlays"], name), "mine");
        }

        Directory.CreateDirectory(Path.Combine(_directory["overlays"], $".{Guid.NewGuid():N}.tmp"));
        _overlays.DeleteTemporary(TimeProvider.System.GetUtcNow().AddDays(1));
        Assert.Equal(5, Directory.EnumerateFileSystemEntries(_directory["overlays"]).Count());
    }

    [Fact]
    public void TheDirectoryItselfMayBeALink()
    {
        Directory.CreateSymbolicLink(_directory["link"], _directory["overlays"]);
        var linked = new OverlayDirectory(_directory["link"]);
        Assert.Equal([(_header.Id, false)], linked.List());
        linked.Open(_header.Id, mayWrite: true).Dispose();
        linked.Delete(_header.Id);
        Assert.Empty(_overlays.List());
    }
}
