using Xunit;

namespace Benji.Interop.Cli;

/// <summary>Real disk images through the program, as a user takes them: file systems, a sparse one, odd and empty ones.</summary>
public sealed class FileSystemImageTests : IDisposable
{
    private readonly BenjiProgram _benji = new();

    [Fact]
    public Task AnExt4ImageComesBackAndIsClean() => RunAsync("""
        mkdir files; cp -r /etc/apt files/; head -c 3000000 /dev/urandom > files/noise
        truncate -s 128M disk.img; mkfs.ext4 -q -d files disk.img; cp --sparse=always disk.img first.img
        benji backup disk.img vm -u one
        head -c 200000 /dev/urandom > new; debugfs -w -R 'write new new' disk.img 2> /dev/null
        benji backup disk.img vm -u two
        benji restore vm/one one.img; cmp first.img one.img; e2fsck -fn one.img
        benji restore vm/two two.img; cmp disk.img two.img; e2fsck -fn two.img
        test "$(debugfs -R 'cat new' two.img 2> /dev/null | sha256sum)" = "$(sha256sum < new)"
        benji deep-scrub vm/two -s disk.img
        """);

    [Fact]
    public Task AnXfsImageComesBackAndIsClean() => RunAsync("""
        head -c 3000000 /dev/urandom > noise
        printf '%s\n' /boot '0 0' 'd--755 0 0' "noise ---644 0 0 $PWD/noise" '$' > proto
        truncate -s 320M disk.img; mkfs.xfs -q -p proto disk.img
        benji backup disk.img vm -u one
        benji restore vm/one one.img; cmp disk.img one.img; xfs_repair -n -f one.img
        benji deep-scrub vm/one -s disk.img
        """);

    [Fact]
    public Task ASparseImageStaysSparse() => RunAsync("""
        truncate -s 2G disk.img
        printf x | dd of=disk.img bs=1 seek=1500000000 conv=notrunc status=none
        benji backup disk.img vm -u one
        benji restore vm/one one.img; cmp disk.img one.img
        test "$(du -k one.img | cut -f1)" -le 256
        """);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4095)]
    [InlineData(5_000_001)]
    public Task AnImageOfAnySizeComesBack(int size) => RunAsync($"""
        head -c {size} /dev/urandom > disk.img
        benji backup disk.img vm -u one; benji backup disk.img vm -u two
        benji restore vm/two two.img; cmp disk.img two.img
        benji scrub vm/one; benji deep-scrub vm/two -s disk.img
        benji rebuild --force; benji restore vm/one one.img; cmp disk.img one.img
        """);

    public void Dispose() => _benji.Dispose();

    private async Task RunAsync(string script)
    {
        var result = await _benji.ShellAsync("set -euxo pipefail; export PATH=$PATH:/usr/sbin:/sbin\n" + script);
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
    }
}
