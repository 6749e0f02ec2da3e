using Benji.Interop.Cli;
using Benji.Testing;
using Xunit;

namespace Benji.Interop.Mount;

/// <summary>A store with two versions of a disk, made once for a class of tests that mount it with the program. Needs root.
/// </summary>
/// <remarks><c>vm/one</c> is <c>one.img</c>, 64 MiB and one sector with holes; <c>vm/two</c> is <c>two.img</c>, in which
/// 2 MiB have changed. Each script runs in a directory and a mount namespace of its own, so that nothing stays mounted.
/// </remarks>
public sealed class MountStore : IAsyncLifetime, IDisposable
{
    // What every test begins with: up mounts at m, pid names its process, down unmounts, within waits for a condition.
    private const string Prelude = """
        set -euxo pipefail
        export PATH=$(dirname $(command -v benji)):/usr/bin:/usr/sbin:/sbin:$PATH LC_ALL=C
        top=$PWD; p=; work=$(mktemp -d $PWD/XXXXXX); cd $work; mkdir m; m=$work/m; v=$m/vm/one.img
        up() { benji mount $m "$@"; }
        down() { benji umount $m; }
        pid() { cut -d ' ' -f 1 /run/benji/mount-0-$(stat -c %d $m); }
        mounted() { grep -q " $m fuse.benji " /proc/mounts; }
        within() {
          { set +x; local end=$(($(date +%s%N) + $1 * 1000000)); shift
          until "$@"; do test $(date +%s%N) -lt $end || { echo "not in time: $*" >&2; exit 1; }; sleep 0.01; done; set -x; } 2> log
        }
        gone() { ! readlink /proc/$1/exe; } # also when init has not heard of it yet
        leave() {
          code=$?; set +ex
          for line in $(grep -o " $top[^ ]* fuse.benji " /proc/mounts | cut -d ' ' -f 2); do umount -l $line; done
          kill -CONT $p; kill -9 $(jobs -p); exit $code
        } 2> /dev/null
        trap leave EXIT

        """;

    // What every test ends with: nothing is mounted, and the bytes of the versions are what they were.
    private const string Coda = """

        ! grep " $top" /proc/mounts | grep fuse.benji
        benji deep-scrub vm/one -s $top/one.img; benji deep-scrub vm/two -s $top/two.img
        """;

    private readonly BenjiProgram _benji = new();

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        _benji.Variables["packaging"] = Repository.PathOf("packaging");
        _benji.Variables["scripts"] = Repository.PathOf("tests", "Benji.Interop", "Mount");
        Check(await _benji.ShellAsync("""
            set -euxo pipefail
            put() { head -c $3 /dev/urandom | dd of=$1 bs=64K seek=$2 oflag=seek_bytes conv=notrunc iflag=fullblock status=none; }
            truncate -s 67109376 one.img
            put one.img 1048576 9000000; put one.img 33554432 5000001; put one.img 67105280 4096
            cp --sparse=always one.img two.img; put two.img 2097152 2000000
            benji backup one.img vm -u one; benji backup two.img vm -u two
            """));
    }

    /// <inheritdoc/>
    public Task DisposeAsync() => Task.CompletedTask;

    /// <summary>Runs a script; it must end with exit code 0 and nothing mounted, and the versions be what they were.</summary>
    public async Task RunAsync(string script)
    {
        var file = Path.Combine(_benji.Directory, $"{Guid.NewGuid():N}.sh");
        await File.WriteAllTextAsync(file, Prelude + script + Coda);
        Check(await _benji.RunAsync("unshare", ["--mount", "--propagation", "private", "bash", file]));
    }

    /// <inheritdoc/>
    public void Dispose() => _benji.Dispose();

    private static void Check(ProgramResult result) =>
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}\n{result.Output}\n{result.Error}");
}
