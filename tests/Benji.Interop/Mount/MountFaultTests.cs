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
}
