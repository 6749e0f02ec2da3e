using Xunit;

namespace Benji.Interop.Mount;

/// <summary><c>benji mount</c> and <c>umount</c> as people use them: files, loop devices, fstab, other users.</summary>
public sealed class MountCommandTests(MountStore store) : IClassFixture<MountStore>
{
    [Fact]
    public Task MountReturnsWhenItServesAndUmountWhenItsProcessHasEnded() => store.RunAsync("""
        test -z "$(up -o cache=64M 2> err)"; cmp $v $top/one.img; cmp $m/vm/latest.img $top/two.img
        test $(findmnt -n -o FSTYPE,SOURCE $m | tr -s ' ' -) = fuse.benji-benji
        test $(stat -c %a-%s $v) = 400-67109376
        cp $v copy; cmp copy $top/one.img; test $(du -k copy | cut -f 1) -le $(($(du -k $top/one.img | cut -f 1) * 101 / 100 + 256))
        p=$(pid); test $(ps -o pgid= $p) = $p; test $(readlink /proc/$p/cwd) = /; test $(readlink /proc/$p/fd/2) = /dev/null
        down; ! mounted; within 1000 gone $p
        test "$(up --json | jq -r .mount_point)" = $m; test $(benji umount --json $m | jq .detached) = false
        """);

    [Fact]
    public Task VersionsAppearAndGoAndOpenOnesStayReadable() => store.RunAsync("""
        up; ls $m/vm; ! stat $m/vm/live.img
        benji backup $top/two.img vm -u live; within 1000 test -e $m/vm/live.img
        test $(readlink $m/vm/latest.img) = live.img; ls $m/vm | grep -x live.img
        exec 5< $m/vm/live.img
        benji rm --force vm/live; within 1000 test ! -e $m/vm/live.img; ! ls $m/vm | grep -x live.img
        cmp /dev/fd/5 $top/two.img; exec 5<&-; test $(readlink $m/vm/latest.img) = two.img; down
        """);

    [Fact]
    public Task AVersionIsRepairedInAnOverlayAndPromoted() => store.RunAsync("""
        mkdir files y; head -c 3M /dev/urandom > files/a; echo text > files/b
        mkfs.ext4 -q -d files ext4.img 48M; benji backup ext4.img fs -u broken
        truncate -s 304M xfs.img; mkfs.xfs -q xfs.img; mount -o loop xfs.img y; cp files/* y/; umount y; benji backup xfs.img fs -u xfs
        up; mount -o loop,ro,noload $m/fs/broken.img y; diff -r -x lost+found files y; umount y
        mount -o loop,ro,norecovery $m/fs/xfs.img y; diff -r files y; umount y
        o=$m/fs/broken@repair.img; touch $o; dd if=/dev/zero of=$o bs=1K seek=1 count=1 conv=notrunc status=none
        e2fsck -fy $o || test $? = 1; mount -o loop $o y; echo more >> y/b; rm y/a; sync; fstrim y; umount y
        e2fsck -fn $o; cmp $m/fs/broken.img ext4.img; cp $o repaired.img
        within 5000 benji promote fs/broken@repair; within 1000 test ! -e $o
        cmp $m/fs/latest.img repaired.img; mount -o loop,ro,noload $m/fs/latest.img y
        test "$(cat y/b)" = "$(printf 'text\nmore')"; test ! -e y/a; umount y; down
        """);

    [Fact]
    public Task AnOverlayIsPromotedByThePathOfItsFile() => store.RunAsync("""
        benji backup $top/two.img path/of -u base; up; o=$m/path/of/base@fix.img; touch $o
        dd if=$top/one.img of=$o bs=64K skip=40 seek=40 count=8 conv=notrunc,fsync status=none
        printf end | dd of=$o bs=1 seek=67109373 conv=notrunc,fsync status=none; cp $o fixed
        ! cmp $m/path/of/base.img fixed
        within 5000 benji promote $o -u fixed; within 1000 test -e $m/path/of/fixed.img
        cmp $m/path/of/fixed.img fixed; test ! -e $o; test $(readlink $m/path/of/latest.img) = fixed.img
        benji deep-scrub path/of/fixed -s fixed; cmp $m/path/of/base.img $top/two.img

        # By a path relative to where the user is, and through a symbolic link.
        inside() { (cd $m/path/of; "$@"); }
        ln -s $m link; again=$m/path/of/fixed@again.img third=$m/path/of/again@third.img; touch $again
        printf again | dd of=$again conv=notrunc,fsync status=none; cp $again again
        within 5000 inside benji promote ./fixed@again.img -u again; within 1000 cmp $m/path/of/again.img again
        touch $third; within 5000 benji promote link/path/of/again@third.img -u third; within 1000 cmp $m/path/of/third.img again

        # What is no overlay is not promoted.
        code=0; benji promote $m/path/of/base.img 2> err || code=$?; cat err; test $code = 64 -o $code = 66
        test $(wc -l < err) = 1; down
        """);

    [Fact]
    public Task APathNamesWhatItIsInTheMountOfItsOwnStoreOnly() => store.RunAsync("""
        mkdir n bound; home=$BENJI_HOME; export BENJI_HOME=$work/mine; benji backup $top/one.img vm -u one; benji overlay create vm/one x
        cp -a mine copy; BENJI_HOME=$work/copy benji mount n; up
        refuse() { set +e; "$@" 2> err; code=$?; set -e; cat err; test $code = 64; test $(wc -l < err) = 1; }

        # A copy of the store has the same names and ids, and is another store.
        for path in n/vm/one@x.img ./n/vm/one@x.img $work/n/vm/one@x.img /proc/$$/root$work/n/vm/one@x.img; do
          refuse benji promote $path; refuse benji overlay rm --force $path
        done
        ln -s n/vm/one@x.img link.img; refuse benji promote link.img
        mkdir l u w o; mount -t overlay -o lowerdir=$m/vm,upperdir=u,workdir=w none o && refuse benji promote o/one@x.img; umount o || true
        refuse benji promote $m/vm/one.img; refuse benji promote $m/vm; refuse benji overlay rm $m/vm/one.img
        test "$(benji overlay ls -m | jq '.overlays | length')" = 1

        # Its own mount counts, wherever it is bound to.
        mount --bind $m bound; benji overlay rm bound/vm/one@x.img; umount bound
        test "$(benji overlay ls -m | jq '.overlays | length')" = 0; down
        export BENJI_HOME=$work/copy; test "$(benji overlay ls -m | jq '.overlays | length')" = 1; benji overlay rm n/vm/one@x.img
        benji umount $work/n; BENJI_HOME=$home
        """);

    [Fact]
    public Task QemuMapsAFileAsItsFramesAre() => store.RunAsync("""
        map() { python3 $scripts/mapped_frames.py "$@"; }
        up; map $v $top/one.img; map $m/vm/two.img $top/two.img
        o=$m/vm/one@map.img; touch $o; cp --sparse=always $top/one.img model; map $o model
        for change in '-p -o 2097152 -l 1048576' '-z -n -o 20971520 -l 65536'; do fallocate $change $o; fallocate $change model; done
        head -c 65536 /dev/urandom > new
        for file in $o model; do dd if=new of=$file bs=64K seek=250 conv=notrunc,fsync status=none; done
        cmp $o model; map $o model; within 5000 rm $o; down
        """);

    [Fact]
    public Task WhatCannotBeMountedIsRefusedInOneLine() => store.RunAsync("""
        refuse() {
          set +e; timeout 60 "${@:3}" 2> err; code=$?; set -e
          test $code = $1; test $(wc -l < err) = 1; grep -q "^benji: .*$2" err
        }
        mkdir -p $BENJI_HOME/storage/inside over; ln -s $BENJI_HOME/storage/inside link; mount --bind $BENJI_HOME over
        refuse 77 'lie in one another' benji mount $BENJI_HOME
        refuse 77 'lie in one another' benji mount $top
        refuse 77 'lie in one another' benji mount link
        refuse 77 'lie in one another' benji mount over/storage; umount over
        refuse 66 'does not exist' benji mount nowhere
        refuse 64 'no directory' benji mount $top/one.img
        refuse 64 'no mount option' benji mount -o cash=1G $m
        refuse 66 'nothing mounted' benji umount $m
        up; refuse 75 'mounted already by process' benji mount $m; down
        mkdir dev; mount -t tmpfs none dev; cp -a /dev/{null,zero,full,random,urandom} dev/; mount --bind dev /dev
        refuse 64 '/dev/fuse' benji mount $m; umount /dev dev
        """);

    [Fact]
    public Task AnotherUserMountsThroughTheHelperOrInANamespaceOfItsOwn() => store.RunAsync("""
        mkdir h; cp -a $BENJI_HOME h/home; chown -R nobody: h m; chmod 755 $top $work; mknod -m 666 fuse c 10 229
        mount --bind fuse /dev/fuse; export HOME=$work/h BENJI_HOME=$work/h/home
        as() { setpriv --reuid nobody --regid nogroup --clear-groups "$@"; }
        as benji mount $m; as cmp $v $top/one.img; ! ls $m; as benji umount $m; ! mounted
        sed '/^user_allow_other/d' /etc/fuse.conf > conf; mount --bind conf /etc/fuse.conf
        ! as benji mount -o allow_other $m 2> err; cat err; test $(grep -vc '^+' err) = 1; grep '^benji: .*allow_other is not allowed' err
        as unshare -Urm bash -ec "benji mount $m; cmp $v $top/one.img; benji umount $m; ! grep ' $m ' /proc/mounts"
        """);

    [Fact]
    public Task FstabMountsThroughItsHelper() => store.RunAsync("""
        mkdir real sbin; mount --bind /usr/sbin real; ln -s $work/real/* sbin/
        cp $packaging/mount.fuse.benji sbin/; mount --bind sbin /usr/sbin
        mkdir local; ln -s $(command -v benji) local/; mount --bind local /usr/local/bin
        echo "store $m fuse.benji ro,allow_other,cache=64M,_netdev,nofail,x-systemd.automount 0 0" > fstab
        mount --fstab fstab $m; ls $m/vm/one.img; cmp $v $top/one.img; p=$(pid)
        test "$(findmnt -n -t fuse.benji -o SOURCE $m)" = store; ! touch $m/vm/one@x.img
        umount $m; within 5000 gone $p
        mount -f --fstab fstab $m; ! mounted
        ! mount -t fuse.benji -o bogus store $m 2> err; grep "no mount option 'bogus'" err
        ! mount -t fuse.benji $work/none.yaml $m 2> err; grep none.yaml err
        umount /usr/sbin /usr/local/bin real
        """);
}
