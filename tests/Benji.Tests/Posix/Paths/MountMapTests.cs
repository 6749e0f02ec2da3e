using Benji.Store.Posix;
using Benji.Store.Posix.Paths;
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

    [Fact]
    public void TheMountsOfThisProcessAreRead() => Assert.NotNull(MountMap.Read().Locate("/"));
}
