using Benji.Interop.Cli;
using Xunit;

namespace Benji.Interop.Nbd;

/// <summary>A store with two versions of a disk, made once for a class of tests that serve it over NBD.</summary>
/// <remarks><c>vm/one</c> is <c>one.img</c>, 64 MiB and one sector with holes; <c>vm/two</c> is <c>two.img</c>, in which
/// 2 MiB have changed, a run of 100,000 bytes has become zeros and one hole has been filled.</remarks>
public sealed class NbdStore : IAsyncLifetime, IDisposable
{
    // What every test begins with: serve starts a server with a unix socket, uri names an export of it, stop ends it.
    private const string Prelude = """
        set -euxo pipefail
        export PATH=$(dirname $(command -v benji)):/usr/bin:/usr/sbin:/sbin:$PATH
        server=; top=$PWD; work=$(mktemp -d $PWD/XXXXXX); cd $work
        trap 'set +x; test -z "$server" || kill -9 $server 2> /dev/null || true; test ! -e log || tail -n 40 log >&2' EXIT
        serve() {
          rm -f ready; benji nbd --socket $work/s --machine-output "$@" > ready 2>> log & server=$!
          { set +x; until test -s ready; do kill -0 $server; sleep 0.02; done; set -x; } 2> /dev/null
        }
        port() { jq '.endpoints[] | .port // empty' ready; }
        uri() { echo "nbd+unix:///$1?socket=$work/s"; }
        stop() { kill -TERM $server; wait $server; server=; }
        crash() { kill -9 $server; wait $server || true; server=; } 2> /dev/null

        """;

    // What every test ends with: the bytes of the versions are what they were.
    private const string Coda = """

        test -z "$server" || stop
        benji deep-scrub vm/one -s $top/one.img; benji deep-scrub vm/two -s $top/two.img
        """;

    private readonly BenjiProgram _benji = new();

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        var result = await _benji.ShellAsync("""
            set -euxo pipefail
            truncate -s 67109376 one.img
            put() { head -c $3 /dev/urandom | dd of=$1 bs=64K seek=$2 oflag=seek_bytes conv=notrunc iflag=fullblock status=none; }
            put one.img 1048576 9000000; put one.img 33554432 5000001; put one.img 67105280 4096
            cp --sparse=always one.img two.img
            put two.img 2097152 1000000; put two.img 34003000 1097152; put two.img 50331648 65536
            dd if=/dev/zero of=two.img bs=64K seek=4194304 count=100000 oflag=seek_bytes iflag=count_bytes conv=notrunc
            benji backup one.img vm -u one; benji backup two.img vm -u two
            """);
        Check(result);
    }

    /// <inheritdoc/>
    public Task DisposeAsync() => Task.CompletedTask;

    /// <summary>Runs a script in a new directory; it must end with exit code 0, and the versions be what they were.</summary>
    public async Task RunAsync(string script) => Check(await _benji.ShellAsync(Prelude + script + Coda));

    /// <summary>Runs a script as <see cref="RunAsync(string)"/> does, and gives it more time.</summary>
    public async Task RunAsync(string script, TimeSpan limit) =>
        Check(await _benji.ShellAsync(Prelude + script + Coda, limit));

    /// <inheritdoc/>
    public void Dispose() => _benji.Dispose();

    private static void Check(ProgramResult result) =>
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}\n{result.Output}\n{result.Error}");
}
