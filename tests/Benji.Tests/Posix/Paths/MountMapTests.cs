using Benji.Store.Posix;
using Benji.Store.Posix.Paths;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Posix.Paths;

public sealed class MountMapTests
{
    private static readonly MountMap Map = MountMap.Of(
    [
        "22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw",
        "23 22 8:3 / /srv rw - ext4 /dev/sda3 rw",
        @"24 22 8:3 /benji/storage /mnt/a\040b rw - ext4 /dev/sda3 rw",
        "25 23 8:4 /vm /srv/benji/storage/versions/vm rw master:7 propagate_from:2 - xfs /dev/sdb1 rw",
        "26 22 0:30 / /over rw - tmpfs none rw",
        "27 22 0:31 / /over rw - tmpfs none rw",
        "not a line",
    ]);

    [Theory]
    [InlineData("/etc/x", 8, 2, "/etc/x")]
    [InlineData("/srv", 8, 3, "/")]
    [InlineData("/srv/benji/x", 8, 3, "/benji/x")]
    [InlineData("/srvother", 8, 2, "/srvother")]
    [InlineData("/mnt/a b/blocks/1", 8, 3, "/benji/storage/blocks/1")]
    [InlineData("/srv/benji/storage/versions/vm/v1", 8, 4, "/vm/v1")]
    [InlineData("/over/x", 0, 31, "/x")]
    public void APathIsLocatedByTheMountThatCoversIt(string path, uint major, uint minor, string expected) =>
        Assert.Equal(new FileLocation(new DeviceNumber(major, minor), expected), Map.Locate(path));

    [Fact]
    public void ATreeIsItsDirectoryAndWhatIsMountedBelow() => Assert.Equal(
        [new FileLocation(new(8, 3), "/benji/storage"), new FileLocation(new(8, 4), "/vm")],
        Map.LocateTree("/srv/benji/storage"));

    [Fact]
    public void ALocationContainsItselfAndWhatIsBelow()
    {
        var location = new FileLocation(new(8, 3), "/benji");
        Assert.True(location.Contains(location));
        Assert.True(location.Contains(location with { Path = "/benji/x" }));
        Assert.False(location.Contains(location with { Path = "/benji2" }));
        Assert.False(location.Contains(new FileLocation(new(8, 4), "/benji/x")));
        Assert.True(new FileLocation(new(8, 3), "/").Contains(location));
    }

    [Theory]
    [InlineData("/remote/x", true)]
    [InlineData("/remote", true)]
    [InlineData("/shown/y/z", true)]
    [InlineData("/local/x", false)]
    [InlineData("/x", false)]
    public void WhatAnotherMachineAnswersForIsRemote(string path, bool isRemote) => Assert.Equal(
        isRemote,
        MountMap.Of(
        [
            "22 1 8:2 / / rw - ext4 /dev/sda2 rw",
            "23 22 0:40 / /remote rw - nfs4 host:/x rw",
            "24 22 0:41 / /shown rw - fuse.sshfs host:/y rw",
            "25 22 0:42 / /local rw - tmpfs none rw",
        ]).IsRemote(path));

    [Fact]
    public void AStorageThatIsAwayIsNotLookedInto()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["away"]);
        File.CreateSymbolicLink(directory["way"], "away/storage");
        File.CreateSymbolicLink(directory["away/storage"], "elsewhere");
        var mounts = MountMap.Of(["22 1 8:2 / / rw - ext4 /dev/sda2 rw", $"23 22 0:40 / {directory["away"]} rw - nfs4 host:/x rw"]);
        Assert.Equal(directory["away/storage"], RealPath.Of(directory["way"], mounts));
        Assert.Equal(directory["away/elsewhere"], RealPath.Of(directory["way"]));
    }

    [Fact]
    public void LinksThatLeadInACircleComeToAnEnd()
    {
        using var directory = new TemporaryDirectory();
        File.CreateSymbolicLink(directory["a"], directory["b"]);
        File.CreateSymbolicLink(directory["b"], directory["a"]);
        Assert.StartsWith(directory.Path, RealPath.Of(directory["a/x"]), StringComparison.Ordinal);
    }

    [Fact]
    public void TheMountsOfThisProcessAreRead() => Assert.NotNull(MountMap.Read().Locate("/"));
}
