using Benji.Cli.Mounting;
using Benji.Store.Model;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Cli.Mounting;

public class MountSettingsTests
{
    [Fact]
    public void OptionsAreReadFromAllLists()
    {
        var settings = MountSettings.Parse(["ro,allow_other", "cache=2G,uid=1000,gid=100,umask=0277,readers=3,read_ahead=128K"]);
        var options = settings.ToOptions("/mnt/benji", "/etc/benji.yaml");
        Assert.Equal(2L << 30, settings.CacheBytes);
        Assert.Equal(("/mnt/benji", "/etc/benji.yaml"), (options.MountPoint, options.Source));
        Assert.True(options.IsReadOnly && options.AllowOther);
        Assert.Equal((1000u, 100u, 0xBFu), (options.Uid, options.Gid, options.Umask));
        Assert.Equal((3, 128 * 1024), (options.Readers, options.ReadAhead));
    }

    [Fact]
    public void WithoutOptionsOnlyTheMountingUserMayLook()
    {
        var options = MountSettings.Parse([]).ToOptions("/mnt/benji", null);
        Assert.False(options.IsReadOnly || options.AllowOther);
        Assert.Equal((0x3Fu, "benji"), (options.Umask, options.Source));
    }

    [Theory]
    [InlineData("defaults,_netdev,nofail,noauto")]
    [InlineData("rw,noatime,nosuid,nodev,user")]
    [InlineData("x-systemd.automount,x-systemd.requires=network.target,X-mount.mkdir,comment=here")]
    [InlineData(",, rw ,")]
    public void WhatFstabKeepsForOthersIsAccepted(string list) => Assert.False(MountSettings.Parse([list]).IsReadOnly);

    [Fact]
    public void TheLastOfTwoOptionsCounts()
    {
        Assert.False(MountSettings.Parse(["ro", "rw"]).IsReadOnly);
        Assert.Equal(32L << 20, MountSettings.Parse(["cache=1G,cache=32M"]).CacheBytes);
    }

    [Theory]
    [InlineData("read_only", "There is no mount option 'read_only'")]
    [InlineData("cache", "needs a value")]
    [InlineData("ro=1", "takes no such value")]
    [InlineData("cache=", "is not a size")]
    [InlineData("cache=1M", "is not a size")]
    [InlineData("cache=99999999999999999999", "is not a size")]
    [InlineData("cache=9223372036854775807G", "is not a size")]
    [InlineData("uid=root", "is not the number of a user or group")]
    [InlineData("uid=4294967295", "is not the number of a user or group")]
    [InlineData("gid=-1", "is not the number of a user or group")]
    [InlineData("umask=8", "is not an octal number")]
    [InlineData("umask=1000", "is not an octal number")]
    [InlineData("readers=0", "is not a number from 1 to 64")]
    [InlineData("read_ahead=1G", "is not a size")]
    public void AWrongOptionIsRefusedInOneLine(string option, string reason)
    {
        var failure = Assert.Throws<UsageException>(() => MountSettings.Parse([option]));
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Fact]
    public void AnyTextIsReadOrRefused() => Seeded.Run(random =>
    {
        const string Letters = "aceghimorstuw_=,.0189GMK-\0\n";
        for (var round = 0; round < 2000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(24)).Select(_ => Letters[random.Next(Letters.Length)]));
            try
            {
                MountSettings.Parse([text]).ToOptions("/", null);
            }
            catch (UsageException refused)
            {
                Assert.NotEmpty(refused.Message);
            }
        }
    });
}
