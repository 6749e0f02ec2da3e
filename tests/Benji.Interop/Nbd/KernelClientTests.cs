using Benji.Testing;
using Xunit;

namespace Benji.Interop.Nbd;

/// <summary>The kernel's own NBD client, in a virtual machine, as no kernel of a container has it.</summary>
public sealed class KernelClientTests(NbdStore store) : IClassFixture<NbdStore>
{
    // A virtual machine without the help of the processor takes half a minute, and longer beside other tests.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(6);

    [Fact]
    public Task AVersionIsMountedAndAnOverlayRepairedAndPromoted() => store.RunAsync($$"""
        vm={{Repository.Root}}/tests/vm/run; kept={{Repository.Root}}/artifacts/vm

        # A file system with a file, and one whose bitmaps are lost.
        mkdir files; head -c 3000000 /dev/urandom > files/data; sum=$(sha256sum < files/data)
        mkfs.ext4 -q -d files sound.img 32M; cp sound.img broken.img
        debugfs -w -R 'set_super_value free_blocks_count 1' broken.img
        debugfs -w -R 'clri <12>' broken.img
        if e2fsck -fn broken.img; then exit 1; fi
        benji backup sound.img kernel -u sound; benji backup broken.img kernel -u broken

        cat > guest << 'END'
        set -euxo pipefail
        nbd-client $VM_HOST $1 /dev/nbd0 -N kernel/sound -b 512
        test "$(blockdev --getsize64 /dev/nbd0)" = 33554432; test "$(blockdev --getro /dev/nbd0)" = 1
        mount -o ro,noload /dev/nbd0 /mnt; test "$(sha256sum < /mnt/data)" = "$2"; umount /mnt
        nbd-client -d /dev/nbd0
        nbd-client $VM_HOST $1 /dev/nbd1 -N kernel/broken@repair -b 512
        code=0; e2fsck -fy /dev/nbd1 || code=$?; test $code = 1
        mount /dev/nbd1 /mnt; echo repaired > /mnt/note; umount /mnt
        nbd-client -d /dev/nbd1
        END
        serve -p 0
        timeout 300 $vm $kept --module nbd --timeout 240 guest $(port) "$sum" < /dev/null
        benji promote kernel/broken@repair -u repaired; stop
        benji restore kernel/repaired repaired.img; e2fsck -fn repaired.img
        test "$(debugfs -R 'cat note' repaired.img)" = repaired
        benji deep-scrub kernel/broken -s broken.img; benji deep-scrub kernel/sound -s sound.img
        """, Limit);
}
