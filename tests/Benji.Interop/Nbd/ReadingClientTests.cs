using Xunit;

namespace Benji.Interop.Nbd;

/// <summary>Other people's clients read versions from <c>benji nbd</c>.</summary>
public sealed class ReadingClientTests(NbdStore store) : IClassFixture<NbdStore>
{
    [Fact]
    public Task NbdinfoTellsOfExports() => store.RunAsync("""
        serve
        test "$(nbdinfo --size "$(uri vm/one)")" = 67109376
        nbdinfo --is read-only "$(uri vm/one)"; nbdinfo --can multi-conn "$(uri vm/one)"
        nbdinfo --can df "$(uri vm/one)"; nbdinfo --can cache "$(uri vm/one)"
        if nbdinfo --can multi-conn "$(uri vm/latest)"; then exit 1; fi
        if nbdinfo "$(uri vm/three)" 2> error; then exit 1; fi
        grep -q 'No such file or directory for export: vm/three' error
        nbdinfo --json "$(uri vm/latest)" > info
        test "$(jq -r '.exports[0]["export-name"]' info)" = vm/two
        jq -e '.exports[0].contexts | index("x-benji:changed:vm/one")' info
        nbdinfo --list --json "$(uri '')" > list
        test "$(jq '.exports | length' list)" -ge 3
        jq -e '[.exports[] | select(.["export-name"] == "vm/one")] | length == 1' list
        """);

    [Fact]
    public Task AMapTellsExactlyWhichFramesAreHoles() => store.RunAsync("""
        serve
        nbdinfo --map --json "$(uri vm/one)" > map
        /usr/bin/python3 - <<'END'
        import json
        image = open("../one.img", "rb").read()
        offset = 0
        for extent in json.load(open("map")):
            assert extent["offset"] == offset
            end = offset + extent["length"]
            is_hole = extent["type"] == 3
            assert is_hole or extent["type"] == 0
            for frame in range(offset, end, 65536):
                assert any(image[frame:min(end, frame + 65536)]) != is_hole, frame
            offset = end
        assert offset == len(image)
        END
        qemu-img map --output=json -f raw "$(uri vm/one)" > qemu
        jq -e '[.[] | select(.zero) | .length] | add > 40000000' qemu
        """);

    [Fact]
    public Task NbdcopyCopiesOverManyConnections() => store.RunAsync("""
        serve -p 0
        nbdcopy -C 4 "$(uri vm/one)" copy.img; cmp copy.img $top/one.img
        test $(stat -c '%b * 512' copy.img | xargs expr) -lt 20000000
        nbdcopy "nbd://127.0.0.1:$(port)/vm/two" - | cmp - $top/two.img
        nbdcopy --synchronous --request-size=65536 "$(uri vm/latest)" - | cmp - $top/two.img
        """);

    [Fact]
    public Task NbdshReadsAtAnyByte() => store.RunAsync("""
        serve
        /usr/bin/nbdsh -u "$(uri vm/one)" -c '
        image = open("../one.img", "rb").read()
        for offset, length in ((0, 1), (1048575, 3), (4000000, 1000001), (33554431, 65538), (67109375, 1)):
            assert h.pread(length, offset) == image[offset:offset + length], offset
            assert h.pread_structured(length, offset, lambda *_: None, nbd.CMD_FLAG_DF) == image[offset:offset + length]
        h.cache(1048576, 0)
        try:
            h.set_strict_mode(0); h.pwrite(b"x", 0); assert False
        except nbd.Error as error:
            assert error.errno == "EPERM", error.errno
        try:
            h.pread(2, 67109375); assert False
        except nbd.Error as error:
            assert error.errno == "EINVAL", error.errno
        assert h.pread(1, 1048576) == image[1048576:1048577]'
        """);

    [Fact]
    public Task NbdfuseShowsAFile() => store.RunAsync("""
        serve; mkdir m
        nbdfuse -r m/disk.img "$(uri vm/one)" & fuse=$!
        until test -e m/disk.img; do kill -0 $fuse; sleep 0.02; done
        cmp m/disk.img $top/one.img
        fusermount3 -u m; wait $fuse
        """);

    [Fact]
    public Task QemuReadsAndCompares() => store.RunAsync("""
        serve -p 0
        qemu-img info --output=json "nbd://127.0.0.1:$(port)/vm/one" | jq -e '."virtual-size" == 67109376'
        qemu-img compare -f raw -F raw $top/one.img "$(uri vm/one)"
        if qemu-img compare -f raw -F raw $top/one.img "$(uri vm/two)"; then exit 1; fi
        qemu-img convert -f raw -O raw -W -m 16 "$(uri vm/two)" two.raw; cmp two.raw $top/two.img
        qemu-img convert -f raw -O qcow2 "$(uri vm/one)" one.qcow2; qemu-img compare one.qcow2 $top/one.img
        """);

    [Fact]
    public Task NbdkitAndNbdClientAreServed() => store.RunAsync("""
        serve -p 0
        nbdkit -r -U - nbd uri="$(uri vm/one)" --run 'nbdcopy $uri -' | cmp - $top/one.img
        nbdkit -r -U - --filter=cow nbd uri="$(uri vm/two)" --run 'nbdcopy $uri -' | cmp - $top/two.img
        nbd-client -l -u $work/s > list; grep -q '^vm/one: 67109376 bytes' list; grep -q '^vm/latest: vm/two' list
        nbd-client -l 127.0.0.1 -p $(port) | grep -q '^vm/two: '
        fio --name=r --ioengine=nbd --uri="$(uri vm/one)" --rw=randread --bs=4k --io_size=8M --iodepth=64 --output=fio.log
        """);

    [Fact]
    public Task TlsIsNeededOnTcpAndClientsAreChecked() => store.RunAsync($$"""
        {{Certificates.Script}}
        serve -p 0 --tls-certificates pki
        nbds() { echo "nbds://localhost:$(port)/vm/one?tls-certificates=$work/$1"; }
        nbdinfo "$(nbds pki)" | grep 'with TLS'
        nbdcopy "$(nbds pki)" - | cmp - $top/one.img
        if nbdinfo "$(nbds foreign)"; then exit 1; fi
        if nbdinfo "nbd://localhost:$(port)/vm/one"; then exit 1; fi
        qemu-img info --object tls-creds-x509,id=t,dir=pki,endpoint=client \
          --image-opts driver=nbd,host=localhost,port=$(port),tls-creds=t,export=vm/one | grep '64 MiB'
        benji backup "$(nbds pki)" again -u one; benji restore again/one again.img; cmp again.img $top/one.img
        benji rm -f again/one
        nbdinfo "$(uri vm/one)" | grep 'without TLS'
        stop
        serve -p 0 --tls-certificates pki --tls-allow CN=client; nbdinfo --size "$(nbds pki)"; stop
        serve -p 0 --tls-certificates pki --tls-allow CN=other
        if nbdinfo --size "$(nbds pki)"; then exit 1; fi
        """);

    [Fact]
    public Task SocketsOfAServiceManagerAreServed() => store.RunAsync("""
        /usr/bin/nbdsh -c 'h.set_export_name("vm/one")' -c 'h.connect_systemd_socket_activation(["benji", "nbd"])' \
          -c 'assert h.pread(9, 1048576) == open("../one.img", "rb").read()[1048576:1048585]'
        nbdcopy -- [ benji nbd --default-export vm/two ] two.raw; cmp two.raw $top/two.img
        """);

    [Fact]
    public Task AnotherStoreTakesOnlyWhatHasChanged() => store.RunAsync("""
        serve; export BENJI_HOME=$work/other
        benji backup -b 64K "$(uri vm/one)" copy -u one
        benji backup -f copy/one "$(uri vm/two)&changes=x-benji:changed:vm/one" copy -u two
        benji deep-scrub -s $top/one.img copy/one; benji deep-scrub -s $top/two.img copy/two
        benji ls -m copy | jq -e '.versions[] | select(.version == "two") | .bytes_read < 3400000'
        unset BENJI_HOME; export BENJI_HOME=$top/home
        """);

    [Fact]
    public Task ARestoreCopiesOnlyWhatHasChanged() => store.RunAsync("""
        serve; cp $top/one.img disk.img
        nbdinfo --map=x-benji:changed:vm/one --json "$(uri vm/two)" > map
        /usr/bin/nbdsh -c 'h.add_meta_context("x-benji:changed:vm/one")' -c "h.connect_uri('$(uri vm/two)')" -c '
        import json
        one, two = (open(f"../{name}.img", "rb").read() for name in ("one", "two"))
        changed = sum(min(65536, len(one) - frame) for frame in range(0, len(one), 65536)
            if one[frame:frame + 65536] != two[frame:frame + 65536])
        extents, copied, offset = [], 0, 0
        while sum(extents[::2]) < h.get_size():
            offset = sum(extents[::2])
            h.block_status(h.get_size() - offset, offset, lambda context, start, found, error: extents.extend(found))
        offset = 0
        with open("disk.img", "r+b") as disk:
            for length, flags in zip(extents[::2], extents[1::2]):
                if flags & 1:
                    disk.seek(offset); disk.write(h.pread(length, offset)); copied += length
                offset += length
        assert copied == changed, (copied, changed)
        assert 2200000 < copied < 2700000, copied
        assert sum(e["length"] for e in json.load(open("map")) if e["type"] & 1) == copied'
        cmp disk.img $top/two.img
        qemu-img map --output=json --image-opts \
          "driver=nbd,export=vm/two,server.type=unix,server.path=$work/s,x-dirty-bitmap=x-benji:changed:vm/one" > qemu
        test "$(jq '[.[] | select(.data | not) | .length] | add' qemu)" = \
          "$(jq '[.[] | select(.type % 2 == 1) | .length] | add' map)"
        """);
}
