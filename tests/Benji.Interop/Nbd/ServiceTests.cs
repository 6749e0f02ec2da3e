using Xunit;

namespace Benji.Interop.Nbd;

/// <summary><c>benji nbd</c> as a service: how it starts, what it refuses, how it ends.</summary>
public sealed class ServiceTests(NbdStore store) : IClassFixture<NbdStore>
{
    [Fact]
    public Task ItTellsAPersonAndTheServiceManagerWhenItIsReady() => store.RunAsync("""
        exec 7< <(exec /usr/bin/python3 -c '
        import os, socket
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); listener.bind("notify"); print("bound", flush=True)
        for _ in range(2): print(listener.recv(4096).decode(), flush=True)'); read -r -u 7 bound
        NOTIFY_SOCKET=$work/notify benji nbd -a 127.0.0.1 -a ::1 -p 0 --socket s 2> err & server=$!
        read -r -t 60 -u 7 line; test "$line" = READY=1
        read -r -t 60 -u 7 line; grep -q '^STATUS=Serving nbd://127.0.0.1:[0-9]*/, nbd://\[::1\]:[0-9]*/, ' <<< "$line"
        grep -q 'Ready: nbd://127.0.0.1:[0-9]*/, nbd://\[::1\]:[0-9]*/, nbd+unix:///?socket=s$' err
        test $(stat -c %a s) = 600
        kill -TERM $server; wait $server; server=
        read -r -t 60 -u 7 line; test "$line" = STOPPING=1
        test ! -e s
        """);

    [Fact]
    public Task MachineOutputIsOneDocument() => store.RunAsync("""
        serve -p 0; jq -e ".process == $server and (.endpoints | length) == 2" ready
        jq -e '.endpoints[0] | .address == "127.0.0.1" and .uri == "nbd://127.0.0.1:\(.port)/"' ready
        jq -e ".endpoints[1].socket == \"$work/s\" and .endpoints[1].uri == \"nbd+unix:///?socket=$work/s\"" ready
        """);

    [Fact]
    public Task WhatIsUnsafeOrInUseIsRefused() => store.RunAsync("""
        refuse() { code=0; timeout 60 benji nbd "${@:2}" 2> err || code=$?; test $code = $1; tail -n 1 err; }
        refuse 64 -a 0.0.0.0 -p 0 | grep -i TLS
        refuse 64 -r -d -p 0; refuse 64 --tls-allow CN=a -p 0; refuse 64 --cache 1K -p 0
        refuse 78 --tls-certificates nowhere -p 0
        serve -p 0
        refuse 75 -p $(port) | grep 'in use'
        refuse 75 --socket s | grep 'listen'
        touch file; refuse 75 --socket file; test -f file
        benji nbd -a 0.0.0.0 -p 0 --insecure -m > open & other=$!
        { set +x; until test -s open; do kill -0 $other; sleep 0.02; done; set -x; } 2> /dev/null
        test "$(nbdinfo --size nbd://127.0.0.1:$(jq '.endpoints[0].port' open)/vm/one)" = 67109376
        kill $other; wait $other
        """);

    [Fact]
    public Task ItFinishesWhatIsUnderWayWhenItIsStopped() => store.RunAsync("""
        serve
        /usr/bin/nbdsh -u "$(uri vm/one@stopped)" -c 'import os' -c '
        pending = [h.aio_pwrite(bytes([i + 1]) * 300000, i * 1000000) for i in range(16)]
        while h.aio_in_flight() and any(not h.aio_command_completed(p) for p in pending[:1]): h.poll(-1)
        os.system("kill -TERM '$server'")
        try:
            while h.poll(-1) >= 0 and h.aio_in_flight(): pass
        except nbd.Error: pass'
        wait $server; server=; serve
        /usr/bin/nbdsh -u "$(uri vm/one@stopped)" -c 'assert h.pread(300000, 0) == b"\1" * 300000'
        """);

    [Fact]
    public Task NewVersionsAreServedWithoutARestart() => store.RunAsync("""
        serve; head -c 1000000 /dev/urandom > new.img
        if nbdinfo --size "$(uri fresh/a)"; then exit 1; fi
        benji backup new.img fresh -u a; nbdcopy "$(uri fresh/latest)" - | cmp - new.img
        head -c 2000000 /dev/urandom > newer.img; benji backup newer.img fresh -u b
        nbdcopy "$(uri fresh/latest)" - | cmp - newer.img; nbdcopy "$(uri fresh/a)" - | cmp - new.img
        """);
}
