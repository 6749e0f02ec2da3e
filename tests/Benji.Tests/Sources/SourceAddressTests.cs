using Benji.Store.Model;
using Benji.Store.Sources;
using Xunit;

namespace Benji.Tests.Sources;

public sealed class SourceAddressTests
{
    [Theory]
    [InlineData("/dev/sda", null, "/dev/sda")]
    [InlineData("disk.img", null, "disk.img")]
    [InlineData("./a:b", null, "./a:b")]
    [InlineData("dir/a:b", null, "dir/a:b")]
    [InlineData("/a:b", null, "/a:b")]
    [InlineData(":b", null, ":b")]
    [InlineData("file:disk.img", "file", "disk.img")]
    [InlineData("file:/dev/sda", "file", "/dev/sda")]
    [InlineData("file:///dev/sda", "file", "/dev/sda")]
    [InlineData("file:a:b", "file", "a:b")]
    [InlineData("file:/a?b#c%20", "file", "/a?b#c%20")]
    [InlineData("my-io_2:x", "my-io_2", "x")]
    public void AnAddressHasASchemeAndAPath(string address, string? scheme, string path)
    {
        var parsed = SourceAddress.Parse(address);
        Assert.Equal(scheme, parsed.Scheme);
        Assert.Equal(path, parsed.Path);
        Assert.Equal(address, parsed.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("file:a\0b")]
    [InlineData("\0")]
    public void WhatIsNoAddressIsRefused(string address) =>
        Assert.Throws<UsageException>(() => SourceAddress.Parse(address));

    [Theory]
    [InlineData("-")]
    [InlineData("file:-")]
    [InlineData("file://-")]
    [InlineData("null:-")]
    public void APipeIsRefusedAndNeverTakenForAFile(string address)
    {
        var opener = new SourceOpener(IoOptions.Default);
        Assert.Throws<UsageException>(() => opener.OpenSource(address));
        Assert.Throws<UsageException>(() => opener.OpenTarget(address, 1, force: true));
        Assert.Throws<UsageException>(() => opener.FindPath(address));
    }

    [Theory]
    [InlineData("./-")]
    [InlineData("--")]
    [InlineData("/-")]
    [InlineData("file:./-")]
    public void OnlyADashAloneIsAPipe(string address) => Assert.Equal(address, SourceAddress.Parse(address).ToString());

    [Fact]
    public void AHostIsRefused()
    {
        var error = Assert.Throws<UsageException>(() => SourceAddress.Parse("file://host/path").Path);
        Assert.Contains("names a host", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rbd:pool/image", "known are: file, null. Write ./rbd:pool/image")]
    [InlineData("file:", "has no path")]
    [InlineData("file://", "names a host")]
    public void AnAddressThatLeadsNowhereIsRefused(string address, string message)
    {
        var opener = new SourceOpener(IoOptions.Default);
        var error = Assert.Throws<UsageException>(() => opener.OpenSource(address));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Throws<UsageException>(() => opener.OpenTarget(address, 1, force: true));
    }

    [Fact]
    public void NothingIsReadFromNull() =>
        Assert.Throws<UsageException>(() => new SourceOpener(IoOptions.Default).OpenSource("null:"));

    [Fact]
    public void TheConfiguredNameIsTheScheme()
    {
        var opener = new SourceOpener(new Dictionary<string, IoOptions> { ["disks"] = new() { Module = IoModule.File } });
        Assert.Throws<NotFoundException>(() => opener.OpenSource("disks:/nowhere/at/all"));
        Assert.Throws<NotFoundException>(() => opener.OpenSource("/nowhere/at/all"));
        Assert.Throws<UsageException>(() => opener.OpenSource("file:/nowhere/at/all"));
    }
}
