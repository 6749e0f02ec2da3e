using System.Text;
using Benji.Cli.Configuration;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Cli.Configuration;

public sealed class OutsideTextTests
{
    private static readonly byte[] Latin = [.. "caf"u8, 0xe9];

    [Fact]
    public void AnArgumentThatIsNotUtf8IsRefused()
    {
        var bytes = Join("benji"u8.ToArray(), "backup"u8.ToArray(), Latin, "vm"u8.ToArray());
        var error = Assert.Throws<UsageException>(
            () => OutsideText.CheckArguments(["backup", Encoding.UTF8.GetString(Latin), "vm"], _ => bytes));
        Assert.Contains("is not UTF-8", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("caf\u00e9")]
    [InlineData("\ufffd")]
    [InlineData("a\ufffdb")]
    [InlineData("")]
    public void WhatIsUtf8Passes(string text)
    {
        OutsideText.CheckArguments([text], name => Join(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(text, OutsideText.CheckVariable("A", text, name => Join(Encoding.UTF8.GetBytes($"A={text}"), [.. "B="u8, .. Latin])));
    }

    [Fact]
    public void TheBytesAreLookedAtOnlyInDoubt()
    {
        OutsideText.CheckArguments(["a", "caf\u00e9"], _ => throw new InvalidOperationException());
        Assert.Null(OutsideText.CheckVariable("A", null, _ => throw new InvalidOperationException()));
    }

    [Fact]
    public void AVariableThatIsNotUtf8IsRefusedByItsOwnName()
    {
        var bytes = Join([.. "BENJI_HOM="u8, .. "x"u8], [.. "BENJI_HOME="u8, .. Latin]);
        var error = Assert.Throws<UsageException>(
            () => OutsideText.CheckVariable("BENJI_HOME", Encoding.UTF8.GetString(Latin), _ => bytes));
        Assert.StartsWith("Variable BENJI_HOME is not UTF-8", error.Message, StringComparison.Ordinal);
    }

    private static byte[] Join(params byte[][] texts) => [.. texts.SelectMany(text => text.Append((byte)0))];
}
