using Benji.Cli.Commands;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Cli.Commands;

public class LabelArgumentsTests
{
    [Fact]
    public void ANameWithAValueSets()
    {
        var labels = LabelArguments.Parse(["site=berlin", "keep"]);
        Assert.Equal([new("keep", ""), new("site", "berlin")], labels.Set);
        Assert.Empty(labels.Remove);
    }

    [Fact]
    public void ANameWithADashRemoves()
    {
        var labels = LabelArguments.Parse(["site-"]);
        Assert.Empty(labels.Set);
        Assert.Equal(["site"], labels.Remove);
    }

    [Fact]
    public void AValueMayEndWithADashOrHoldAnEqualsSign()
    {
        var labels = LabelArguments.Parse(["a=b-", "c=d=e"]);
        Assert.Equal([new("a", "b-"), new("c", "d=e")], labels.Set);
        Assert.Empty(labels.Remove);
    }

    [Fact]
    public void TheLastOneForANameWins()
    {
        var labels = LabelArguments.Parse(["a=1", "a-", "b-", "b=2"]);
        Assert.Equal([new("b", "2")], labels.Set);
        Assert.Equal(["a"], labels.Remove);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("=value")]
    public void ALabelWithoutANameIsRefused(string argument) =>
        Assert.Throws<UsageException>(() => LabelArguments.Parse([argument]));
}
