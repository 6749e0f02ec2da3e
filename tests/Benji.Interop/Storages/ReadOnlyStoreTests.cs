using Benji.Interop.Cli;
using Xunit;

namespace Benji.Interop.Storages;

/// <summary>Stores on a read-only file system and stores of somebody else, with the whole program. Needs root.</summary>
public sealed class ReadOnlyStoreTests : IDisposable
{
    // Each script runs in a mount namespace of its own: code runs a command and compares its exit code, fixed makes a part of
    // the store read-only, same tells whether anything in it was changed since the last look.
    private const string Prelude = """
        set -euxo pipefail
        export PATH=$(dirname $(command -v benji)):/usr/bin:/usr/sbin:/sbin LC_ALL=C
        home=$BENJI_HOME; top=$PWD
        head -c 9000000 /dev/urandom > one.img; cp one.img two.img; head -c 70000 /dev/urandom | dd of=two.img conv=notrunc status=none
        code() { local want=$1 got=0; shift; "$@" > out 2> err || got=$?; cat out err; test $got = $want; }
        fixed() { mount --bind $1 $1; mount -o remount,bind,ro $1; }
        look() { (cd $home; find . -printf '%p %m %s %T@\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum; }
        within() {
          { set +x; local end=$(($(date +%s%N) + $1 * 1000000)); shift
          until "$@"; do test $(date +%s%N) -lt $end || { echo "not in time: $*" >&2; exit 1; }; sleep 0.01; done; set -x; } 2> log
        }
        reads() {
          local before=$(look)
          code 0 benji ls; code 0 benji overlay ls
          code 0 benji restore --force vm/one r.img; cmp r.img one.img
          code 0 benji scrub vm/two; code 0 benji deep-scrub vm/two -s two.img
          test "$(look)" = "$before"
        }
        benji backup one.img vm -u one; benji backup two.img vm -u two; benji overlay create vm/one fix
        trap 'set +e; benji umount m 2> /dev/null; kill -9 $(jobs -p) 2> /dev/null' EXIT

        """;

    private readonly BenjiProgram _benji = new();

    public void Dispose() => _benji.Dispose();

    [Fact]
    public Task EveryCommandThatReadsWorksOnAReadOnlyFileSystem() => RunAsync("""
        fixed $home; reads
        for command in "backup one.img vm" "rm --force vm/one" "cleanup" "label vm/one a=b" "protect vm/one" "overlay create vm/one x" \
            "overlay rm --force vm/one@fix" "promote vm/one@fix" "rebuild --force"; do
          code 74 benji $command; grep -i 'read-only file system' err; test $(wc -l < err) = 1
        done
        """);

    [Fact]
    public Task NothingBesideTheDatabaseIsNeeded() => RunAsync("""
        rm -rf $home/catalog.lock $home/catalog.queue $home/catalog.owners; fixed $home; reads
        """);

    [Fact]
    public Task APartOfAStoreMayBeReadOnly() => RunAsync("""
        for part in db wal lock queue; do
          fixed $home/catalog.$part; reads; code 74 benji backup one.img vm; umount $home/catalog.$part
        done
        fixed $home/storage; code 0 benji ls; code 0 benji restore --force vm/one r.img; cmp r.img one.img
        code 0 benji scrub vm/two; code 0 benji deep-scrub vm/two -s two.img; code 74 benji backup one.img vm
        umount $home/storage; code 0 benji backup one.img vm
        rm $home/storage/blocks/*/*/* ; fixed $home/storage
        code 65 benji deep-scrub vm/two; grep -c 'is not recorded' err | grep -x 1; code 65 benji restore --force vm/one r.img
        umount $home/storage; benji ls -m | jq -e '[.versions[].status] | all(. == "valid")'
        """);

    /// <summary>A log that was not applied, a torn group behind it, an odd counter.</summary>
    [Fact]
    public Task WhatAKilledWriterLeftIsReadAsItIs() => RunAsync("""
        test -s $home/catalog.wal
        head -c 5000 $home/catalog.wal | tail -c 4000 >> $home/catalog.wal
        printf '\x01' | dd of=$home/catalog.lock bs=1 conv=notrunc status=none
        fixed $home; reads
        umount $home; code 0 benji backup one.img vm -u three; code 0 benji ls; grep vm/three out
        """);

    [Fact]
    public Task AnotherUserReadsWhatMayBeRead() => RunAsync("""
        chmod 755 $top; chmod -R a+rX $home; before=$(look)
        mkdir -m 777 out.d; as() { setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=$top/out.d "$@"; }
        code 0 as benji ls; code 0 as benji overlay ls; code 0 as benji restore vm/one out.d/r.img; cmp out.d/r.img one.img
        code 0 as benji scrub vm/two; code 0 as benji deep-scrub vm/two
        code 74 as benji rm --force vm/one; grep -i 'permission denied' err
        code 74 as benji backup one.img vm; test "$(look)" = "$before"
        chmod -R go= $home; code 74 as benji ls; grep -i 'permission denied' err
        """);

    [Fact]
    public Task AMountShowsVersionsAndMakesNoOverlays() => RunAsync("""
        fixed $home; mkdir m; before=$(look); benji mount m; cmp m/vm/one.img one.img; cmp m/vm/latest.img two.img
        ls m/vm | grep -x one@fix.img
        if touch m/vm/one@new.img 2> err; then exit 1; fi; grep -i 'read-only file system' err
        if cat m/vm/one@fix.img > r.img 2> err; then exit 1; fi; grep -i 'read-only file system' err
        if rm m/vm/one@fix.img 2> err; then exit 1; fi; grep -i 'read-only file system' err
        benji umount m; benji mount -o ro m; cmp m/vm/two.img two.img; benji umount m; test "$(look)" = "$before"
        """);

    [Fact]
    public Task AnOverlayOnAReadOnlyFileSystemIsRead() => RunAsync("""
        mkdir m; benji mount m; printf fixed | dd of=m/vm/one@fix.img conv=notrunc,fsync status=none; cp m/vm/one@fix.img fixed.img
        benji umount m; fixed $home/overlays; before=$(look)
        benji mount m; cmp m/vm/one@fix.img fixed.img; ! cmp fixed.img one.img
        if printf more | dd of=m/vm/one@fix.img conv=notrunc,fsync 2> err; then exit 1; fi; grep -i 'read-only file system' err
        if touch m/vm/one@new.img 2> err; then exit 1; fi; grep -i 'read-only file system' err
        cmp m/vm/one@fix.img fixed.img; benji umount m
        code 74 benji promote vm/one@fix; code 74 benji overlay create vm/one x; code 0 benji overlay ls; grep fix out
        code 0 benji backup two.img vm -u three; umount $home/overlays; code 0 benji promote vm/one@fix -u fixed
        code 0 benji deep-scrub vm/fixed -s fixed.img
        """);

    [Fact]
    public Task DisksAreServedAndNoneIsWritten() => RunAsync("""
        fixed $home
        for options in --read-only ""; do
          rm -f ready; benji nbd --socket $top/s -m $options > ready & server=$!
          within 20000 test -s ready; nbdcopy "nbd+unix:///vm/one?socket=$top/s" r.img; cmp r.img one.img
          if nbdinfo "nbd+unix:///vm/one@new?socket=$top/s" 2> err; then exit 1; fi
          kill -TERM $server; wait $server
        done
        """);

    /// <summary>The lock of a reader is that of the file, by whatever mount it is seen.</summary>
    [Fact]
    public Task ACleanupDeletesNothingThatIsReadThroughAReadOnlyMount() => RunAsync("""
        mkdir seen m; mount --bind $home seen; mount -o remount,bind,ro seen
        BENJI_HOME=$top/seen benji mount m; exec 5< m/vm/one.img
        code 0 benji overlay rm vm/one@fix; code 0 benji rm --force vm/one vm/two
        code 0 benji cleanup --older-than 0s; grep 'reads the store without a lease' err; code 75 benji rebuild --force
        cmp /dev/fd/5 one.img; exec 5<&-; benji umount m
        code 0 benji cleanup --older-than 0s; test -z "$(find $home/storage/blocks -type f)"
        """);

    private async Task RunAsync(string script)
    {
        var file = _benji["script.sh"];
        await File.WriteAllTextAsync(file, Prelude + script);
        var result = await _benji.RunAsync("unshare", ["--mount", "--propagation", "private", "bash", file]);
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}\n{result.Output}\n{result.Error}");
    }
}
