using Benji.Mount.Session.Files;
using Benji.Mount.Tree;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Mount.Session.Files;

/// <summary>The uses of an open image: who may still begin one, and who must close it.</summary>
public sealed class OpenFileTests : IAsyncLifetime
{
    private OpenFile _file = null!;

    public async Task InitializeAsync()
    {
        var images = new ByteImages();
        var entry = images.Add("vm/one", new byte[10]);
        var node = TreeNode.Root().AddDirectory(2, "vm").AddImage(3, "one.img", entry);
        _file = new OpenFile(node, await images.OpenVersionAsync(entry, CancellationToken.None));
    }

    public async Task DisposeAsync() => await _file.Image.DisposeAsync();

    [Fact]
    public void TheLastUseCloses()
    {
        Assert.True(_file.TryEnter());
        Assert.True(_file.TryEnter());
        Assert.False(_file.Exit());
        Assert.True(_file.TryEnter());
        Assert.False(_file.Exit());
        Assert.True(_file.Exit());
    }

    [Fact]
    public void AFileThatIsBeingClosedIsNotEntered()
    {
        Assert.True(_file.TryEnter());
        Assert.True(_file.Exit());
        Assert.False(_file.TryEnter());
        Assert.False(_file.TryBeginClose());
    }

    [Fact]
    public void AFileInUseIsNotClosed()
    {
        Assert.True(_file.TryEnter());
        Assert.False(_file.TryBeginClose());
        Assert.True(_file.Exit());
    }

    /// <summary>The number of openings of a former server is not known: they count as one.</summary>
    [Fact]
    public void TheOpeningsOfAFormerServerAreOneUse()
    {
        Assert.True(_file.TryEnter());
        _file.Adopt();
        _file.Adopt();
        Assert.False(_file.Exit());
        Assert.True(_file.Exit());
    }
}
