using Benji.Mount;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Mount;

public class MountTableTests
{
    [Fact]
    public void ALineIsTakenApart()
    {
        var entry = MountTable.Parse(
            "36 35 0:57 / /mnt/a\\040b rw,nosuid shared:1 master:2 - fuse.benji /etc/benji\\134x rw,user_id=1000,group_id=100");
        Assert.Equal(new MountEntry("0:57", "/mnt/a b", "fuse.benji", "/etc/benji\\x", 1000), entry);
    }

    [Fact]
    public void NamesOutsideOfAsciiComeThrough() =>
        Assert.Equal("/mnt/k\u00e4se", MountTable.Parse("1 2 8:1 / /mnt/k\u00e4se rw - ext4 /dev/sda1 rw")?.MountPoint);

    [Fact]
    public void WhatIsNoEscapeStaysAsItIs() =>
        Assert.Equal("/a\\b\\04\\999", MountTable.Parse("1 2 8:1 / /a\\b\\04\\999 rw - ext4 /dev/sda1 rw")?.MountPoint);

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("36 35 0:57 / /mnt rw")]
    [InlineData("36 35 0:57 / /mnt rw - fuse")]
    public void WhatIsNoLineOfTheTableIsLeftOut(string line) => Assert.Null(MountTable.Parse(line));

    [Fact]
    public void AnyTextIsReadOrLeftOut() => Seeded.Run(random =>
    {
        const string letters = " -\\0129/a:,=\t";
        for (var round = 0; round < 5_000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(80)).Select(_ => letters[random.Next(letters.Length)]));
            _ = MountTable.Parse(text);
        }
    });

    [Fact]
    public void WhatStandsInTheWayOfAnUnmountIsFound()
    {
        string[] lines =
        [
            "1 0 8:1 / / rw - ext4 /dev/sda1 rw",
            "2 1 0:57 / /mnt/b rw - fuse.benji benji rw,user_id=0",
            "3 2 8:2 / /mnt/b/vm rw - ext4 /dev/sdb1 rw",
            "4 1 0:57 /vm /srv/vm rw - fuse.benji benji rw,user_id=0",
            "5 1 0:57 /vm /mnt/bb rw - fuse.benji benji rw,user_id=0",
            "6 1 0:58 / /mnt/c rw - fuse.benji benji rw,user_id=0",
            "7 2 0:57 / /mnt/b/self rw - fuse.benji benji rw,user_id=0",
        ];
        var (below, elsewhere) = MountTable.FindInTheWay(MountTable.Parse(lines[1])!, lines);
        Assert.Equal(["/mnt/b/vm", "/mnt/b/self"], below.Select(mount => mount.MountPoint));
        Assert.Equal(["/srv/vm", "/mnt/bb"], elsewhere.Select(mount => mount.MountPoint));
        (below, elsewhere) = MountTable.FindInTheWay(MountTable.Parse(lines[5])!, lines);
        Assert.Empty(below.Concat(elsewhere));
    }

    [Fact]
    public void TheRootIsMounted() => Assert.NotNull(MountTable.Find("/"));

    [Fact]
    public void NothingIsMountedWhereNothingIs() => Assert.Null(MountTable.Find("/no/such/directory"));
}
