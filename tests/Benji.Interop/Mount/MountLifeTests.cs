using Xunit;

namespace Benji.Interop.Mount;

/// <summary>The process behind a mount: stopped, frozen, killed and gone on with, and among others of its kind.</summary>
public sealed class MountLifeTests(MountStore store) : IClassFixture<MountStore>
{
    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public Task ASignalUnmountsAndMakesOverlaysDurable(string signal) => store.RunAsync($$"""
        up; p=$(pid); touch $m/vm/one@sig.img; exec 5< $v
        dd if=$top/two.img of=$m/vm/one@sig.img bs=64K skip=32 seek=32 count=32 conv=notrunc status=none
        kill -{{signal}} $p; within 5000 gone $p; ! mounted; exec 5<&-
        up; cmp $m/vm/one@sig.img $top/two.img; within 5000 rm $m/vm/one@sig.img; down
        """);

    [Fact]
    public Task AKilledProcessCostsItsReadersAnErrorAndNothingElse() => store.RunAsync("""
        up -o cache=16M; p=$(pid); touch $m/vm/one@kill.img
        dd if=$top/two.img of=$m/vm/one@kill.img bs=64K skip=32 seek=32 count=32 conv=notrunc,fsync status=none
        (while cat $v; do :; done > /dev/null 2>&1) & reader=$!
        kill -9 $p; within 5000 gone $reader; mounted; ! ls $m
        up; cmp $m/vm/one@kill.img $top/two.img; within 5000 rm $m/vm/one@kill.img; test $(grep -c " $m " /proc/mounts) = 1; down
        up; kill -9 $(pid); benji umount $m; ! mounted
        """);

    [Fact]
    public Task ADeadMountThatTheKernelRemembersNothingOfIsTakenAwayByTheNextStart() => store.RunAsync("""
        p=$(benji mount --json $m | jq .process); kill -9 $p; within 5000 gone $p
        up; cmp $v $top/one.img; test $(grep -c " $m " /proc/mounts) = 1; down
        """);

    [Fact]
    public Task AFrozenProcessHoldsNobodyWhoIsKilled() => store.RunAsync("""
        up -o cache=16M; p=$(pid); kill -STOP $p
        code=0; timeout -s KILL 1 cat $v > /dev/null || code=$?; test $code = 137
        kill -CONT $p; cmp $v $top/one.img; down; within 1000 gone $p
        """);

    [Fact]
    public Task AServiceManagerThatHoldsTheConnectionHasItGoneOnWith() => store.RunAsync("""
        python3 $scripts/service_manager.py $work/manager benji mount -f -o cache=16M $m & manager=$!
        within 20000 test -e manager/ready; first=$(cat manager/process); ls $m/vm
        touch $m/vm/one@held.img; exec 6<> $m/vm/one@held.img
        dd if=$top/two.img of=/dev/fd/6 bs=64K skip=32 seek=32 count=32 conv=notrunc,fsync status=none
        exec 5< $v; head -c 4096 <&5 > part; (cat <&5 > rest) & reader=$!
        kill -9 $first; within 20000 test -e manager/ready.2; second=$(cat manager/process); test $first != $second
        wait $reader; cat part rest | cmp - $top/one.img; cmp $m/vm/one@held.img $top/two.img
        exec 5<&- 6>&-; test $(grep -c " $m " /proc/mounts) = 1
        kill -TERM $second; within 6000 gone $second; wait $manager; grep -x STOPPING=1 manager/notes; ! mounted
        benji overlay rm --force vm/one@held
        """);

    [Fact]
    public Task WhatAppearedWhileNobodyServedIsThereWhenTheConnectionIsGoneOnWith() => store.RunAsync("""
        python3 $scripts/service_manager.py $work/manager benji mount -f $m & manager=$!
        again() { # with the volume $1 made while the process was frozen
          p=$(cat manager/process); kill -STOP $p; benji backup -b 1M $top/one.img $1 -u first; ${@:3}
          kill -9 $p; within 20000 test -e manager/ready.$2; test $p != $(cat manager/process)
        }
        # The first time the kernel knows nothing of the mount point, the second time it knows what is not so any more.
        within 20000 test -e manager/ready; again new 2
        cmp $m/new/first.img $top/one.img; ls $m | grep -x new; ! ls $m/newer
        again newer 3 benji rm --force new/first; gone() { ! stat $m/new/first.img; }; within 1000 gone; ! ls $m/new
        within 1000 test -e $m/newer/latest.img; ls $m | grep -x newer; cmp $m/newer/first.img $top/one.img
        test $(grep -c " $m " /proc/mounts) = 1; kill -TERM $(cat manager/process); wait $manager; ! mounted
        benji rm --force newer/first
        """);

    [Fact]
    public Task MountsAServerAndABackupWorkAtOnceAndShowTheSameBytes() => store.RunAsync("""
        mkdir n; cp $top/two.img third.img; up; benji mount -o ro,cache=16M n
        benji nbd --socket $work/s -m > ready 2> nbd.err & server=$!; within 20000 test -s ready
        benji overlay create vm/two -n both || benji overlay create vm/two both
        printf changed | dd of=$m/vm/two@both.img bs=1 seek=70001 conv=notrunc,fsync status=none
        benji backup third.img other -u big & work1=$!
        benji backup -b 1M third.img small -u one & work2=$!
        cmp $m/vm/one.img n/vm/one.img & work3=$!
        wait $work1; wait $work2; wait $work3; within 1000 test -e $m/small/one.img -a -e n/other/big.img
        for name in vm/one vm/two other/big small/one; do
          benji restore --sparse $name restored; cmp restored $m/$name.img; cmp restored n/$name.img
          nbdcopy "nbd+unix:///$name?socket=$work/s" - | cmp - restored; rm restored
        done
        kill $server; wait $server; cp $m/vm/two@both.img changed.img; cmp -n 70001 changed.img $top/two.img
        ! cmp -s changed.img $top/two.img; benji umount n; down
        benji promote vm/two@both; benji restore vm/latest promoted; cmp promoted changed.img
        benji unprotect vm/latest; benji rm --force vm/latest
        """);
}
