using Benji.Interop.Cli;
using Benji.Testing;
using Xunit;

namespace Benji.Interop.Documents;

/// <summary>The commands of docs/one-file.md work as they stand there, in a virtual machine: on a disk with an ext4 partition
/// whose journal is dirty, and with logical volumes.</summary>
public sealed class OneFileTests : IDisposable
{
    private readonly BenjiProgram _benji = new();

    // A virtual machine without the help of the processor takes half a minute, and longer beside other tests.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(9);

    [Fact]
    public async Task TheCommandsOfThePageWork()
    {
        var result = await _benji.ShellAsync($$"""
            set -euxo pipefail
            vm={{Repository.Root}}/tests/vm/run; kept={{Repository.Root}}/artifacts/vm; export PATH=$PATH:/usr/sbin:/sbin
            # The machine code is for this machine's processor, which the virtual one is not: it runs what .NET compiles there.
            program={{Repository.Root}}/Benji.Cli/bin/Release/net10.0/benji
            dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
            cat > page << 'END'
            {{string.Concat(Documented.Blocks("docs/one-file.md"))}}
            END
            cat > guest << 'END'
            set -euxo pipefail
            # The guest's own /tmp hides the host's, where the program may be.
            benji=/run/vm-host$1; benji() { "$benji" "$@"; }
            export BENJI_HOME=/tmp/home DOTNET_ROOT=/run/vm-host$3 LVM_SYSTEM_DIR=/tmp/lvm
            mkdir /tmp/lvm; echo 'activation { udev_sync=0 udev_rules=0 }' > /tmp/lvm/lvm.conf

            # A partition with ext4, and one that holds a logical volume with xfs.
            truncate -s 450M /tmp/disk
            printf 'label: dos\nsize=40M\ntype=8e\n' | sfdisk -q /tmp/disk
            dev=$(losetup -fP --show /tmp/disk); mkdir -p /mnt/disk
            mkfs.ext4 -q "${dev}p1"; mount "${dev}p1" /mnt/disk
            mkdir /mnt/disk/etc; echo one > /mnt/disk/etc/fstab; sync
            umount /mnt/disk
            vgcreate -q --devices "${dev}p2" web "${dev}p2"; lvcreate -q -y --devices "${dev}p2" -n root -l 100%FREE web
            mkfs.xfs -q /dev/web/root; mount /dev/web/root /mnt/disk
            mkdir /mnt/disk/srv; echo page > /mnt/disk/srv/page.html; umount /mnt/disk
            vgchange -an --devices "${dev}p2" web
            # The journal holds what the file system does not: the superblock says that it needs recovery.
            mount "${dev}p1" /mnt/disk; echo two > /mnt/disk/etc/fstab; sync -f /mnt/disk
            benji backup /tmp/disk server/web -u 20260901T010000Z
            umount /mnt/disk; losetup -d "$dev"

            source "/run/vm-host$2"

            test "$(cat /root/fstab.found /root/fstab.dumped)" = $'two\ntwo'
            test "$(cat /root/fstab.replayed /root/page.found)" = $'two\npage'
            test -z "$(losetup -a)"; ! mountpoint -q /mnt/benji
            benji deep-scrub server/web/latest
            END
            timeout 530 $vm $kept --module fuse --module dm-mod --module loop --module xfs --module ext4 \
                --timeout 480 guest "$program" "$PWD/page" "$dotnet" < /dev/null
            """, Limit);
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}\n{result.Output}\n{result.Error}");
    }

    public void Dispose() => _benji.Dispose();
}
