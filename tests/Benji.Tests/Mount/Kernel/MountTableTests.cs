using Benji.Mount.Kernel.Mounting;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Mount.Kernel;

public sealed class MountTableTests
{
    [Fact]
    public void LinesAreReadWithTheirEscapes()
    {
        const string table = """
            22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
            90 22 0:45 / /mnt/my\040disks\134x rw,nosuid,nodev - fuse.benji my\040store rw,user_id=0
            not a line
            """;
        var entries = MountTable.Parse(table).ToArray();
        Assert.Equal(
            [
                new MountTableEntry("/", "8:1", "ext4", "/dev/sda1"),
                new MountTableEntry("/mnt/my disks\\x", "0:45", "fuse.benji", "my store"),
            ],
            entries);
    }

    [Fact]
    public void AnyTextIsReadOrLeftOut() => Seeded.Run(random =>
    {
        const string letters = " -\\012/a:\n\t";
        for (var round = 0; round < 5_000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(80)).Select(_ => letters[random.Next(letters.Length)]));
            _ = MountTable.Parse(text).ToArray();
        }
    });

    [Fact]
    public void TheRootIsMounted() => Assert.NotNull(MountTable.Find("/"));
}
