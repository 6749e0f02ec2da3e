using Benji.Cli.Commands;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Cli.Commands;

public class ArgumentValuesTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("65536", 65536)]
    [InlineData("64K", 65536)]
    [InlineData("64KiB", 65536)]
    [InlineData("4m", 4 * 1024 * 1024)]
    [InlineData("1G", 1024 * 1024 * 1024)]
    [InlineData("512b", 512)]
    public void SizesMayHaveAUnit(string text, int bytes) => Assert.Equal(bytes, ArgumentValues.Size("--block-size", text));

    [Theory]
    [InlineData("")]
    [InlineData("K")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("4 M")]
    [InlineData("4.5M")]
    [InlineData("4T")]
    [InlineData("2G")]
    [InlineData("4294967296")]
    [InlineData("99999999999999999999")]
    public void WhatIsNoSizeIsRefused(string text)
    {
        var failure = Assert.Throws<UsageException>(() => ArgumentValues.Size("--block-size", text));
        Assert.StartsWith($"--block-size '{text}' is not a size", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1", 1)]
    [InlineData("100", 100)]
    public void PercentagesAreWholeNumbers(string text, int percentage) =>
        Assert.Equal(percentage, ArgumentValues.Percentage("-p", text));

    [Theory]
    [InlineData("0")]
    [InlineData("101")]
    [InlineData("-5")]
    [InlineData("50%")]
    [InlineData("")]
    [InlineData("1.5")]
    public void WhatIsNoPercentageIsRefused(string text) =>
        Assert.Throws<UsageException>(() => ArgumentValues.Percentage("-p", text));

    [Theory]
    [InlineData("0s", 0)]
    [InlineData("90s", 90)]
    [InlineData("30m", 30 * 60)]
    [InlineData("2h", 2 * 3600)]
    [InlineData("6d", 6 * 86400)]
    [InlineData("2w", 14 * 86400)]
    [InlineData("36500d", 36500L * 86400)]
    public void DurationsHaveAUnit(string text, long seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), ArgumentValues.Duration("--older-than", text));

    [Theory]
    [InlineData("")]
    [InlineData("h")]
    [InlineData("30")]
    [InlineData("-1h")]
    [InlineData("1.5h")]
    [InlineData("1h30m")]
    [InlineData("2 h")]
    [InlineData("2y")]
    [InlineData("36501d")]
    [InlineData("4294967295w")]
    [InlineData("99999999999s")]
    public void WhatIsNoDurationIsRefused(string text) =>
        Assert.Throws<UsageException>(() => ArgumentValues.Duration("--older-than", text));
}
