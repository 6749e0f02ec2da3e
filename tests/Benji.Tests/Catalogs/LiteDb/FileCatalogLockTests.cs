using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Posix;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Catalogs.LiteDb;

/// <summary>The catalog's lock when somebody tidies its file away, and the numbers that it carries.</summary>
public sealed class FileCatalogLockTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly CatalogPaths _paths;

    public FileCatalogLockTests() => _paths = new CatalogPaths(_directory["catalog.db"]);

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task WhoeverHoldsTheLockHoldsTheFileThatHasItsName()
    {
        using var held = new FileCatalogLock(_paths);
        File.Delete(_paths.Lock);
        await held.AcquireAsync(CancellationToken.None);

        // One that is opened now finds the new file.
        using var newcomer = FileLock.Open(_paths.Lock);
        Assert.False(newcomer.TryAcquire());
        held.Release();
        Assert.True(newcomer.TryAcquire());
    }

    [Fact]
    public async Task AWaitForTheLockCanBeCancelled()
    {
        using var held = new FileCatalogLock(_paths);
        using var waiting = new FileCatalogLock(_paths);
        await held.AcquireAsync(CancellationToken.None);
        using var cancellation = new CancellationTokenSource();
        var wait = waiting.AcquireAsync(cancellation.Token);
        Assert.False(wait.IsCompleted);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
        held.Release();
        await waiting.AcquireAsync(CancellationToken.None);
    }

    [Fact]
    public async Task AWaitThatLastsSaysWhoHoldsTheLock()
    {
        var told = new TaskCompletionSource<string>();
        using var held = new FileCatalogLock(_paths);
        using var waiting = new FileCatalogLock(_paths) { Waiting = told.SetResult };
        await held.AcquireAsync(CancellationToken.None);
        var wait = waiting.AcquireAsync(CancellationToken.None);

        Assert.StartsWith($"process {Environment.ProcessId} (", await told.Task, StringComparison.Ordinal);
        held.Release();
        await wait;
    }

    [Theory]
    [InlineData("1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF", "4711")]
    [InlineData("1: FLOCK  ADVISORY  WRITE 4711 08:01:12345 0 EOF", null)]
    [InlineData("1: POSIX  ADVISORY  WRITE 4711 08:01:1234 0 EOF", null)]
    [InlineData("1: -> FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF", null)]
    [InlineData("1: FLOCK  ADVISORY  WRITE 0 08:01:1234 0 EOF", null)]
    [InlineData("", null)]
    public void AHolderIsFoundByTheInodeOfItsFile(string line, string? process) =>
        Assert.Equal(process, LockHolder.FindHolder(line, 1234));

    [Fact]
    public async Task ANewFileNeverCarriesANumberThatWasSeenInAnother()
    {
        using var held = new FileCatalogLock(_paths);
        var seen = new HashSet<long>();
        for (var round = 0; round < 8; round++)
        {
            File.Delete(_paths.Lock);
            await held.AcquireAsync(CancellationToken.None);
            for (var commit = 0; commit < 4; commit++)
            {
                Assert.True(seen.Add(held.ReadCounter()));
                Assert.True(long.IsEvenInteger(held.ReadCounter()));
                held.WriteCounter(held.ReadCounter() + 2);
            }

            held.Release();
        }
    }

    [Fact]
    public async Task TheNumberIsWhatTheLastHolderLeft()
    {
        using var first = new FileCatalogLock(_paths);
        using var second = new FileCatalogLock(_paths);
        await first.AcquireAsync(CancellationToken.None);
        first.WriteCounter(7);
        first.Release();
        await second.AcquireAsync(CancellationToken.None);

        Assert.Equal(7, second.ReadCounter());
        Assert.Equal(7, first.ReadCounter());
    }
}
