using Benji.Interop.Cli;
using Xunit;

namespace Benji.Interop.Documents;

/// <summary>The commands that README.md shows under "A version as a disk" work as they stand there, in other places.</summary>
public sealed class VersionAsDiskTests : IDisposable
{
    private readonly BenjiProgram _benji = new();

    [Fact]
    public async Task TheCommandsOfTheReadmeWork()
    {
        var blocks = Documented.Blocks("README.md", "A version as a disk");
        Assert.Equal(2, blocks.Count);
        var commands = string.Join("cmp copy.img disk.img; rm copy.img\n", [.. blocks, ""])
            .Replace("/mnt/", "$PWD/mnt/", StringComparison.Ordinal)
            .Replace("'nbd+unix:///my/disk/latest?socket=/run/benji.sock'", "\"$uri\"", StringComparison.Ordinal)
            .Replace("?socket=/run/benji.sock", "?socket=$PWD/s", StringComparison.Ordinal)
            .Replace("/run/benji.sock &", "$PWD/s & server=$!; until test -S s; do kill -0 $server; done", StringComparison.Ordinal);
        var result = await _benji.ShellAsync($$"""
            set -euxo pipefail
            export PATH=$PATH:/usr/sbin:/sbin
            uri="nbd+unix:///my/disk/latest?socket=$PWD/s"; server=
            trap 'test -z "$server" || kill $server; umount -l $PWD/mnt/disk $PWD/mnt/benji 2> /dev/null || true' EXIT
            mkfs.ext4 -q disk.img 16M; mkdir -p mnt/benji mnt/disk
            benji backup disk.img my/disk
            {{commands}}
            qemu-img compare -f qcow2 -F raw try.qcow2 disk.img
            """);
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
    }

    public void Dispose() => _benji.Dispose();
}
