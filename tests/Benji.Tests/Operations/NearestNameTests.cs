using Benji.Store.Operations;
using Xunit;

namespace Benji.Tests.Operations;

public class NearestNameTests
{
    private static readonly string[] Commands = ["backup", "restore", "rm", "ls", "deep-scrub"];

    [Theory]
    [InlineData("bakup", "backup")]
    [InlineData("restor", "restore")]
    [InlineData("deepscrub", "deep-scrub")]
    [InlineData("lss", "ls")]
    public void AMistypedWordFindsWhatWasMeant(string word, string meant) =>
        Assert.Equal(meant, NearestName.Of(word, Commands));

    [Theory]
    [InlineData("list-everything")]
    [InlineData("x")]
    [InlineData("")]
    [InlineData("a word that is much longer than any command or name can be, ever")]
    public void AWordFarFromAllFindsNothing(string word) => Assert.Null(NearestName.Of(word, Commands));
}
