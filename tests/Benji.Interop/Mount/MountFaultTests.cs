using Xunit;

namespace Benji.Interop.Mount;

/// <summary>What happens to a mount when what is under it fails: the connection, the disk of its overlays, its storage.</summary>
public sealed class MountFaultTests(MountStore store) : IClassFixture<MountStore>
{
    [Fact]
    public Task AnAbortedConnectionEndsTheProcessWhichTakesItsMountAway() => store.RunAsync("""
        control=/sys/fs/fuse/connections; mountpoint -q $control || mount -t fusectl none $control
        number() { local device; device=$(findmnt -n -o MAJ:MIN $m); echo ${device#*:} | tr -d ' '; }
        benji mount -f $m 2> err & p=$!; within 20000 mounted
        touch $m/vm/one@abort.img
        dd if=$top/two.img of=$m/vm/one@abort.img bs=64K skip=32 seek=32 count=32 conv=notrunc,fsync status=none
        exec 5< $v; n=$(number); timeout 10 bash -c "echo 1 > $control/$n/abort"
        within 5000 gone $p; code=0; wait $p || code=$?; test $code = 74; cat err
        test $(grep -c '^benji: .*was aborted' err) = 1; ! mounted; ! timeout 10 cat <&5; exec 5<&-

        # A process that cannot end any more leaves its mount to the next one.
        up; p=$(pid); kill -STOP $p; n=$(number); timeout 10 bash -c "echo 1 > $control/$n/abort"
        ! timeout 10 ls $m; kill -9 $p; within 5000 gone $p; mounted
        up; test $(grep -c " $m " /proc/mounts) = 1; cmp $v $top/one.img
        cmp $m/vm/one@abort.img $top/two.img; within 5000 rm $m/vm/one@abort.img; down
        """);

    [Theory]
    [InlineData("mount -t tmpfs -o size=12M none small")]
    [InlineData("truncate -s 12M small.img; mkfs.ext4 -q -m 0 small.img; mount -o loop small.img small")]
    public Task AFullDiskUnderOverlaysIsNoSpaceForTheirWritersAlone(string mountSmall) => store.RunAsync($$"""
        mkdir small; {{mountSmall}}; mkdir small/overlays -p; overlays=$BENJI_HOME/overlays; mkdir -p $overlays
        mount --bind small/overlays $overlays; head -c 1M /dev/zero > small/spare; sync small/spare
        up; a=$m/vm/one@a.img b=$m/vm/one@b.img; touch $a $b; head -c 64M /dev/urandom > new
        dd if=new of=$b bs=4K count=64 conv=notrunc,fsync status=none
        dd if=new of=$a bs=64K count=32 conv=notrunc,fsync status=none
        ! dd if=new of=$a bs=64K skip=32 seek=32 conv=notrunc,fsync 2> err; grep 'No space left on device' err
        check() { python3 $scripts/whole_units.py $a $top/one.img new $1; }
        check $((32 * 65536)); cmp $v $top/one.img; cmp -n 262144 $b new; cmp -i 262144 $b $top/one.img
        printf more > part; ! dd if=new of=$b bs=64K seek=200 count=160 conv=notrunc,fsync status=none 2> err

        # What was there stays there, also for the next process; with space again, writers go on.
        down; up; check $((32 * 65536)); cmp -n 262144 $b new
        rm small/spare; dd if=new of=$a bs=64K skip=900 seek=900 count=4 conv=notrunc,fsync status=none
        cmp -i $((900 * 65536)) -n 262144 $a new; check $((32 * 65536))
        within 5000 rm $a; within 5000 rm $b; down; umount $overlays small
        """);

    [Fact]
    public Task AStorageThatHangsHoldsUpItsOwnReadersUntilTheLimit() => store.RunAsync("""
        own=$BENJI_HOME; mkdir disk part home; truncate -s 256M disk.img; mkfs.ext4 -q disk.img
        nbdkit -f -U $work/socket file disk.img & server=$!; within 5000 test -S socket
        nbdfuse disk/image --unix $work/socket & fuse=$!; within 10000 test -e disk/image
        loop() { local device; device=$(losetup --find --show disk/image); mount $device part; losetup -d $device; }
        loop; mkdir part/storage home/storage
        export BENJI_HOME=$work/home; mount --bind part/storage home/storage
        benji backup $top/one.img vm -u one; benji backup -b 1M $top/two.img other -u two

        # Mounted anew, nothing of the disk is in the kernel's memory.
        umount home/storage part; loop; mount --bind part/storage home/storage
        up -o cache=256M; read() { dd if=$1 iflag=direct bs=64K skip=$2 count=$3 status=none; }
        read $m/other/two.img 16 64 > /dev/null; read $v 16 1 > /dev/null
        kill -STOP $fuse
        begin=$(date +%s); read $v 540 16 > /dev/null 2> slow & slow=$!
        cat $v > /dev/null & killed=$!
        timeout 5 dd if=$m/other/two.img iflag=direct bs=64K skip=16 count=64 status=none |
          cmp -n 4194304 -i 0:1048576 - $top/two.img
        timeout 5 ls -l $m/vm > /dev/null
        kill -9 $killed; within 5000 gone $killed
        ! wait $slow; took=$(($(date +%s) - begin)); cat slow; grep 'Input/output error' slow
        test $took -ge 19 -a $took -le 26
        kill -CONT $fuse; cmp $v $top/one.img; cmp $m/other/two.img $top/two.img
        down; umount home/storage part; within 5000 umount disk; wait $fuse; kill $server
        export BENJI_HOME=$own
        """);

    [Theory]
    [InlineData("read")] // the storage has been read from when it begins to hang
    [InlineData("true")] // it was never opened
    public Task AStorageThatHangsHoldsUpNoFileOfAnother(string before) => store.RunAsync($$"""
        own=$BENJI_HOME; mkdir disk part home; truncate -s 256M disk.img; mkfs.ext4 -q disk.img
        nbdkit -f -U $work/socket file disk.img & server=$!; within 5000 test -S socket
        nbdfuse disk/image --unix $work/socket & fuse=$!; within 10000 test -e disk/image
        loop() { local device; device=$(losetup --find --show disk/image); mount $device part; losetup -d $device; }
        loop; unset BENJI_HOME; export BENJI_CONFIG=$work/benji.yaml
        cat > benji.yaml << END
        configurationVersion: 1
        databaseEngine: litedb:///$work/home/catalog.db
        defaultStorage: good
        storages:
          - { name: hanging, module: file, configuration: { path: part/storage } }
          - { name: good, module: file, configuration: { path: home/storage } }
        END
        for i in $(seq 40); do head -c 1M /dev/urandom > $i; benji backup -S hanging $i vm -u $i; done
        benji backup $top/one.img good -u one; benji backup $top/two.img good -u two

        # Mounted anew, nothing of the disk is in the kernel's memory.
        umount part; loop; up -o cache=64M
        control=/sys/fs/fuse/connections; mountpoint -q $control || mount -t fusectl none $control
        n=$(findmnt -n -o MAJ:MIN $m); n=${n#*:}; n=${n% *}
        read() { cmp $m/vm/40.img 40; cmp -n 4096 $m/good/one.img $top/one.img; }; {{before}}
        kill -STOP $fuse; readers=
        for i in $(seq 39); do dd if=$m/vm/$i.img bs=64K iflag=direct of=/dev/null 2> /dev/null & readers+=" $!"; done
        waiting() { test $(cat $control/$n/waiting) -ge 39; }; within 10000 waiting
        timeout 5 cmp $m/good/two.img $top/two.img; timeout 5 cmp $m/good/one.img $top/one.img
        timeout 5 ls -lR $m > /dev/null; timeout 5 touch $m/good/one@new.img; timeout 5 rm $m/good/one@new.img
        kill -9 $readers; for p in $readers; do within 5000 gone $p; done
        kill -CONT $fuse; cmp $m/vm/1.img 1
        down; umount part; within 5000 umount disk; wait $fuse; kill $server
        unset BENJI_CONFIG; export BENJI_HOME=$own
        """);
}
