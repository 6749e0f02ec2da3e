using Benji.Interop.Cli;
using Xunit;

namespace Benji.Interop.Nbd;

/// <summary>Exports of other people's servers as what a backup reads and a restore writes.</summary>
public sealed class ExportSourceTests : IDisposable
{
    private readonly BenjiProgram _benji = new();

    [Fact]
    public Task AnExportOfNbdkitIsBackedUp() => RunAsync("""
        nbdkit -U $PWD/s -P pid -r --filter=log file disk.img logfile=log
        benji backup "nbd+unix:///?socket=$PWD/s" vm -u one
        benji deep-scrub vm/one -s "nbd+unix:///?socket=$PWD/s"
        benji restore vm/one one.img; cmp disk.img one.img
        """);

    [Fact]
    public Task HolesOfAnExportAreNotRead() => RunAsync("""
        truncate -s 1G sparse.img; dd if=disk.img of=sparse.img bs=1M seek=700 conv=notrunc status=none
        nbdkit -U $PWD/s -P pid -r --filter=log file sparse.img logfile=log
        benji backup "nbd+unix:///?socket=$PWD/s" vm -u one
        benji restore vm/one one.img; cmp sparse.img one.img
        test "$(grep -c ' Read id=' log)" -le 5
        """);

    [Fact]
    public Task AnExportOverTcpIsBackedUp() => RunAsync("""
        nbdkit -i 127.0.0.1 -p 0 -P pid -r -f file disk.img 2> nbdkit.err &
        until test -s pid; do sleep 0.02; done
        port=$(ss -ltnpH | sed -n "s/.*127.0.0.1:\([0-9]*\) .*pid=$(cat pid),.*/\1/p")
        benji backup "nbd://127.0.0.1:$port/" vm -u one
        benji restore vm/one one.img; cmp disk.img one.img
        """);

    [Fact]
    public Task AnExportUnderTlsIsBackedUpWithACertificateOnly() => RunAsync($"""
        {Certificates.Script}
        nbdkit -U $PWD/s -P pid -r --tls=require --tls-verify-peer --tls-certificates=$PWD/pki file disk.img
        if benji backup "nbd+unix:///?socket=$PWD/s" vm; then exit 1; fi
        if benji backup "nbds+unix:///?socket=$PWD/s&tls-certificates=$PWD/foreign" vm; then exit 1; fi
        benji backup "nbds+unix:///?socket=$PWD/s&tls-certificates=$PWD/pki" vm -u one
        benji restore vm/one one.img; cmp disk.img one.img
        """);

    [Fact]
    public Task AQcow2BehindQemuNbdIsRestoredAndItsHolesStayHoles() => RunAsync("""
        truncate -s 256M sparse.img; dd if=disk.img of=sparse.img bs=1M seek=100 conv=notrunc status=none
        benji backup sparse.img vm -u one
        qemu-img create -q -f qcow2 q.qcow2 256M
        qemu-nbd --fork --pid-file=pid -t -x disk -f qcow2 -k $PWD/s q.qcow2
        if benji restore vm/one "nbd+unix:///disk?socket=$PWD/s" 2> refused; then exit 1; fi
        grep -q -- --force refused
        benji restore -f vm/one "nbd+unix:///disk?socket=$PWD/s"
        if benji restore -f vm/one "nbd+unix:///other?socket=$PWD/s"; then exit 1; fi
        kill $(cat pid); while kill -0 $(cat pid) 2> gone; do sleep 0.02; done
        qemu-img compare -f raw -F qcow2 sparse.img q.qcow2
        test "$(stat -c %s q.qcow2)" -lt 12000000
        """);

    [Fact]
    public Task OfAVirtualMachinesDiskOnlyWhatItsBitmapMarksIsRead() => RunAsync("""
        truncate -s 64M raw.img; dd if=disk.img of=raw.img bs=1M seek=20 conv=notrunc status=none
        qemu-img convert -f raw -O qcow2 raw.img q.qcow2
        benji backup -b 64K raw.img vm -u one
        qemu-img bitmap --add q.qcow2 nightly
        qemu-io -c 'write -P 3 22M 200k' -c 'write -z 25M 128k' -c 'write -P 4 60M 1k' q.qcow2
        qemu-nbd --fork --pid-file=pid -r -t -x disk -f qcow2 -B nightly -k $PWD/s q.qcow2
        changes="nbd+unix:///disk?socket=$PWD/s&changes=qemu:dirty-bitmap"
        if benji backup "$changes:nightly" vm 2> err; then exit 1; fi; grep -q 'base version' err
        if benji backup -f vm/one "$changes:other" vm 2> err; then exit 1; fi; grep -q 'no metadata context' err
        benji backup -f vm/one "$changes:nightly" vm -u two
        qemu-img convert -O raw q.qcow2 now.img; benji restore vm/two two.img; cmp now.img two.img
        benji ls -m vm | jq -e '.versions[] | select(.version == "two") | .bytes_read < 1200000'
        """);

    [Fact]
    public Task ARestoreSendsNoDataForHoles() => RunAsync("""
        truncate -s 64M empty.img; dd if=disk.img of=empty.img bs=1M seek=9 conv=notrunc status=none
        benji backup empty.img vm -u one; truncate -s 64M target.img
        nbdkit -U $PWD/s -P pid --filter=log file target.img logfile=log
        benji restore -f vm/one "nbd+unix:///?socket=$PWD/s"
        cmp empty.img target.img
        sent=$(sed -n 's/.* Write id=.* count=\(0x[0-9a-f]*\).*/\1/p' log | /usr/bin/python3 -c \
          'import sys; print(sum(int(line, 16) for line in sys.stdin))')
        test $sent -ge 9000001 -a $sent -lt 9200000
        if grep -q ' Zero id=' log; then exit 1; fi
        """);

    [Fact]
    public Task ARestoreZeroesWhatAnExportHeldBefore() => RunAsync("""
        truncate -s 64M empty.img; dd if=disk.img of=empty.img bs=1M seek=9 conv=notrunc status=none
        benji backup empty.img vm -u one
        head -c 64M /dev/urandom > target.img
        nbdkit -U $PWD/s -P pid file target.img
        benji restore -f vm/one "nbd+unix:///?socket=$PWD/s"
        cmp empty.img target.img
        """);

    [Fact]
    public Task AServerThatDiesFailsTheBackupAndLeavesNoVersion() => RunAsync("""
        nbdkit -U $PWD/s -P pid -r --filter=log --filter=delay file disk.img logfile=log rdelay=5
        (until grep -q ' Read ' log; do sleep 0.02; done; kill -9 $(cat pid)) &
        if benji backup "nbd+unix:///?socket=$PWD/s" vm 2> err; then exit 1; fi
        grep -q 'connection to .* is lost' err
        test "$(benji ls -m | jq '.versions | length')" = 0
        """);

    public void Dispose() => _benji.Dispose();

    private async Task RunAsync(string script)
    {
        var result = await _benji.ShellAsync($$"""
            set -euxo pipefail; export PATH=/usr/bin:$PATH:/usr/sbin:/sbin
            trap 'test ! -e pid || kill $(cat pid) 2> gone || true' EXIT
            head -c 9000001 /dev/urandom > disk.img
            {{script}}
            """);
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
    }
}
