using Benji.Cli.Output;
using Xunit;

namespace Benji.Tests.Cli.Output;

public class QuantitiesTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.0 KiB")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(1048575, "1.0 MiB")]
    [InlineData(4L << 20, "4.0 MiB")]
    [InlineData(1L << 53, "8.0 PiB")]
    [InlineData(long.MaxValue, "8.0 EiB")]
    [InlineData(-2048, "-2.0 KiB")]
    public void BytesAreShownInTheLargestUnitBelowThem(long bytes, string text) =>
        Assert.Equal(text, Quantities.Bytes(bytes));

    [Theory]
    [InlineData(0, "0.0 s")]
    [InlineData(1.26, "1.3 s")]
    [InlineData(9.96, "10 s")]
    [InlineData(59.6, "1 min 0 s")]
    [InlineData(200, "3 min 20 s")]
    [InlineData(7500, "2 h 5 min")]
    [InlineData(6.125 * 86400, "6 d 3 h")]
    public void DurationsAreShownInTwoUnits(double seconds, string text) =>
        Assert.Equal(text, Quantities.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void ARateOverNoTimeIsUnknown()
    {
        Assert.Equal("-", Quantities.Rate(100, TimeSpan.Zero));
        Assert.Equal("2.0 KiB/s", Quantities.Rate(4096, TimeSpan.FromSeconds(2)));
    }

    [Fact]
    public void CountsAgreeWithTheirNoun()
    {
        Assert.Equal("1 block", Quantities.Count(1, "block"));
        Assert.Equal("0 blocks", Quantities.Count(0, "block"));
    }
}
