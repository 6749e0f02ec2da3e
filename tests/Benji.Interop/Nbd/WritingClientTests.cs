using Xunit;

namespace Benji.Interop.Nbd;

/// <summary>Other people's clients write to overlays, and to versions where <c>benji nbd</c> lets them.</summary>
public sealed class WritingClientTests(NbdStore store) : IClassFixture<NbdStore>
{
    [Fact]
    public Task NbdcopyFillsAnOverlayThatOutlivesTheServer() => store.RunAsync("""
        serve
        nbdcopy --flush -C 4 $top/two.img "$(uri vm/one@copy)"; nbdcopy "$(uri vm/one@copy)" - | cmp - $top/two.img
        nbdinfo --can multi-conn "$(uri vm/one@copy)"
        stop; serve
        nbdcopy "$(uri vm/one@copy)" - | cmp - $top/two.img
        nbdcopy "$(uri vm/one)" - | cmp - $top/one.img
        """);

    [Fact]
    public Task AskingAboutAnOverlayDoesNotMakeIt() => store.RunAsync("""
        serve
        nbdinfo --list --json "$(uri '')" > before
        /usr/bin/nbdsh -c 'h.set_opt_mode(True)' -c "h.connect_uri('$(uri vm/one@asked)')" -c '
        try:
            h.opt_info(); assert False
        except nbd.Error as error:
            assert error.errno == "ENOENT", error.errno
        h.opt_abort()'
        nbdinfo --list --json "$(uri '')" | grep -v uri | diff - <(grep -v uri before)
        stop; serve --read-only
        if nbdinfo "$(uri vm/one@refused)"; then exit 1; fi
        if qemu-io -f raw -c 'write 0 512' "$(uri vm/one)"; then exit 1; fi
        """);

    [Fact]
    public Task QemuWritesZeroesAndDiscards() => store.RunAsync("""
        serve; cp $top/one.img model.img
        commands=(-c 'write -P 7 1000000 70000' -c 'write -z 33554432 1M' -c 'write -zu 2M 64k' -c 'write -f -P 9 0 512'
          -c 'write -z -u 67105280 4096' -c 'write -P 3 40000000 3' -c flush)
        qemu-io -f raw "${commands[@]}" "$(uri vm/one@qemu)"
        qemu-io -f raw "${commands[@]}" model.img
        qemu-img compare -f raw -F raw model.img "$(uri vm/one@qemu)"
        nbdinfo --map=x-benji:changed:vm/one --json "$(uri vm/one@qemu)" > changed
        jq -e '[.[] | select(.type == 1) | .length] | add < 1250000' changed
        qemu-io -f raw -c 'discard 4M 1M' -c 'read -P 0 4M 1M' "$(uri vm/one@qemu)"
        """);

    [Fact]
    public Task FioFindsWhatItWrote() => store.RunAsync("""
        serve
        fio --name=v --ioengine=nbd --uri="$(uri vm/one@fio)" --rw=randwrite --bs=4k --size=32M --io_size=8M --iodepth=32 \
          --verify=crc32c --do_verify=1 --fsync=64 --output=fio.log
        fio --name=p --ioengine=nbd --uri="$(uri vm/one@fio)" --rw=randrw --bsrange=512-9k --bs_unaligned=1 --size=16M \
          --io_size=4M --iodepth=8 --verify=xxhash --do_verify=1 --output=fio.log
        """);

    [Fact]
    public Task AKillAfterAFlushLosesNothing() => store.RunAsync("""
        serve
        for round in 1 2 3; do
          /usr/bin/nbdsh -u "$(uri vm/one@killed)" -c "round = $round" -c 'import os' -c '
        for place in range(50):
            h.pwrite(bytes([round]) * 5000, place * 900001 + 77)
        h.flush()
        os.system(f"kill -9 '$server'")'
          wait $server || true; serve
          /usr/bin/nbdsh -u "$(uri vm/one@killed)" -c "round = $round" -c '
        for place in range(50):
            assert h.pread(5000, place * 900001 + 77) == bytes([round]) * 5000, place'
        done
        """);

    [Fact]
    public Task AFlushCoversTheWritesOfOtherConnections() => store.RunAsync("""
        serve
        /usr/bin/nbdsh -u "$(uri vm/one@shared)" -c "other = nbd.NBD()" -c "other.connect_uri('$(uri vm/one@shared)')" -c '
        h.pwrite(b"first" * 1000, 123456)
        assert other.pread(5000, 123456) == b"first" * 1000
        other.flush()'
        crash; serve
        /usr/bin/nbdsh -u "$(uri vm/one@shared)" -c 'assert h.pread(5000, 123456) == b"first" * 1000'
        """);

    [Fact]
    public Task AQcow2StandsOnAnExport() => store.RunAsync("""
        serve
        qemu-img create -q -f qcow2 -F raw -b "$(uri vm/one)" top.qcow2
        qemu-io -c 'write -P 5 1M 64k' -c 'read -P 5 1M 64k' -c 'write -P 6 50M 4k' top.qcow2
        cp $top/one.img model.img; qemu-io -f raw -c 'write -P 5 1M 64k' -c 'write -P 6 50M 4k' model.img
        qemu-img compare -f raw -F qcow2 model.img top.qcow2
        """);

    [Fact]
    public Task WritesToAVersionAreDiscardedOrPromotedAtTheEndOfTheirConnection() => store.RunAsync("""
        serve --discard-changes
        qemu-io -f raw -c 'write -P 1 1M 64k' -c 'read -P 1 1M 64k' "$(uri vm/one)"
        nbdcopy "$(uri vm/one)" - | cmp - $top/one.img
        stop; before=$(benji ls -m vm | jq '.versions | length')
        serve --writable promote
        cp $top/two.img model.img; qemu-io -f raw -c 'write -P 2 3M 64k' model.img
        qemu-io -f raw -c 'write -P 2 3M 64k' -c flush "$(uri vm/two)"
        until test $(benji ls -m vm | jq '.versions | length') = $((before + 1)); do sleep 0.02; done
        nbdcopy "$(uri vm/latest)" - | cmp - model.img
        name=$(benji ls -m vm | jq -r '.versions[-1].uid'); stop
        benji deep-scrub -s model.img vm/latest
        """);
}
