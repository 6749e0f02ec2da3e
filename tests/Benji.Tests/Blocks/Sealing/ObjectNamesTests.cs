using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Storages;
using Xunit;

namespace Benji.Tests.Blocks.Sealing;

public class ObjectNamesTests
{
    private const string Digits = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private static Hash256 Hash => new(Convert.FromHexString(Digits));

    [Fact]
    public void NamesAreThoseOfTheFormat()
    {
        Assert.Equal("blocks/01/23/" + Digits, ObjectNames.Block(new BlockId(Hash), BlockForm.Whole).Value);
        Assert.Equal($"blocks/01/23/{Digits}.d", ObjectNames.Block(new BlockId(Hash), BlockForm.Delta).Value);
        Assert.Equal("pages/01/23/" + Digits, ObjectNames.Page(new PageId(Hash)).Value);
        Assert.Equal("versions/a@b/c", ObjectNames.Manifest(new VersionName("a/b", "c")).Value);
        Assert.Equal("store.json", ObjectNames.StoreFile.Value);
    }

    [Theory]
    [InlineData(BlockForm.Whole)]
    [InlineData(BlockForm.Delta)]
    public void BlocksParseBack(object form)
    {
        Assert.True(ObjectNames.TryParseBlock(ObjectNames.Block(new BlockId(Hash), (BlockForm)form), out var id, out var parsed));
        Assert.Equal(new BlockId(Hash), id);
        Assert.Equal((BlockForm)form, parsed);
    }

    [Fact]
    public void PagesAndManifestsParseBack()
    {
        Assert.True(ObjectNames.TryParsePage(ObjectNames.Page(new PageId(Hash)), out var page));
        Assert.Equal(new PageId(Hash), page);
        var name = new VersionName("a/b/c", "d");
        Assert.True(ObjectNames.TryParseManifest(ObjectNames.Manifest(name), out var version));
        Assert.Equal(name, version);
    }

    [Theory]
    [InlineData("blocks/01/24/" + Digits)]
    [InlineData("blocks/01/23/" + Digits + "0")]
    [InlineData("blocks/01/23/" + Digits + ".d.d")]
    [InlineData("blocks/01/23/x")]
    [InlineData("pages/01/23/" + Digits + ".d")]
    [InlineData("versions/a")]
    [InlineData("versions/a/b/c")]
    [InlineData("versions/a@@b/c")]
    [InlineData("versions/a/latest")]
    [InlineData("blocks/00/00/0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("other")]
    public void OtherNamesArePassedOver(string name)
    {
        Assert.False(ObjectNames.TryParseBlock(new ObjectName(name), out _, out _));
        Assert.False(ObjectNames.TryParsePage(new ObjectName(name), out _));
        Assert.False(ObjectNames.TryParseManifest(new ObjectName(name), out _));
    }
}
