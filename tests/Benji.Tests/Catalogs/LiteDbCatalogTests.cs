using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Catalogs.LiteDb.Rows;
using Benji.Store.Model;
using Benji.Testing;
using LiteDB;
using LiteDB.Engine;
using Xunit;

namespace Benji.Tests.Catalogs;

/// <summary>What is LiteDB's own: its files, their damage, its lock, its lease owners.</summary>
public sealed class LiteDbCatalogTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TemporaryDirectory _directory = new();

    private string CatalogPath => _directory["store/catalog.db"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task FilesAreForTheirOwnerOnly()
    {
        await using var catalog = await OpenAsync(create: true);
        await LeaseAsync(catalog);

        var directories = new[] { _directory["store"], _directory["store/catalog.owners"] };
        Assert.All(directories, path => Assert.Equal(OwnerOnly | UnixFileMode.UserExecute, File.GetUnixFileMode(path)));
        var files = Directory.GetFiles(_directory["store"], "*", SearchOption.AllDirectories);
        Assert.Equal(7, files.Length);
        Assert.All(files, path => Assert.Equal(OwnerOnly, File.GetUnixFileMode(path)));
    }

    [Fact]
    public async Task AMissingCatalogIsNotFoundAndNothingIsMade()
    {
        await Assert.ThrowsAsync<NotFoundException>(() => OpenAsync(create: false));

        Assert.False(LiteDbCatalog.Exists(CatalogPath));
        Assert.Empty(Directory.GetFileSystemEntries(_directory.Path));
    }

    [Fact]
    public async Task APlaceThatCannotBeLookedIntoIsNotOneWithoutACatalog()
    {
        // Longer than a name may be: like a missing permission, but for root too.
        var path = _directory[new string('x', 300) + "/catalog.db"];

        Assert.Throws<CatalogException>(() => LiteDbCatalog.Exists(path));
        await Assert.ThrowsAsync<CatalogException>(() => LiteDbCatalog.OpenAsync(
            new LiteDbCatalogOptions { Path = path, TimeProvider = TimeProvider.System }, CancellationToken.None));
    }

    [Fact]
    public async Task AMadeCatalogExistsAndOpensWithoutMaking()
    {
        await using (await OpenAsync(create: true))
        {
            Assert.True(LiteDbCatalog.Exists(CatalogPath));
        }

        await using var opened = await OpenAsync(create: false);
        Assert.Empty(await opened.ReadAsync(catalog => catalog.Versions.List(null), CancellationToken.None));
    }

    [Fact]
    public async Task ANewerLayoutIsRefusedByItsNumber()
    {
        await (await OpenAsync(create: true)).DisposeAsync();
        ChangeLayout(LiteDbSchema.Version + 5);

        var failure = await Assert.ThrowsAsync<ConfigurationException>(() => OpenAsync(create: true));

        Assert.Contains("layout 8", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnOlderLayoutIsRefusedWithTheWayOut()
    {
        await (await OpenAsync(create: true)).DisposeAsync();
        ChangeLayout(LiteDbSchema.Version - 1);

        var failure = await Assert.ThrowsAsync<CatalogException>(() => OpenAsync(create: true));

        Assert.Contains("benji rebuild --force", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("catalog.db")]
    [InlineData("catalog.wal")]
    public async Task AForeignFileIsNoCatalog(string name)
    {
        Directory.CreateDirectory(_directory["store"]);
        var content = new byte[30_000];
        new Random(3).NextBytes(content);
        await File.WriteAllBytesAsync(Path.Combine(_directory["store"], name), content);

        var failure = await Assert.ThrowsAsync<ConfigurationException>(() => OpenAsync(create: false));

        Assert.Contains(name, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DamagedPagesAreCatalogFailuresOnly()
    {
        await using (var catalog = await OpenAsync(create: true))
        {
            // So many that the log is applied at once.
            await PutBlocksAsync(catalog, 0, 12_000);
        }

        var good = await File.ReadAllBytesAsync(CatalogPath);
        Assert.True(good.Length > 100 * WalGroup.PageSize);
        var random = new Random(5);
        for (var round = 0; round < 30; round++)
        {
            var damaged = (byte[])good.Clone();
            random.NextBytes(damaged.AsSpan(random.Next(damaged.Length - 3000), 3000));
            await File.WriteAllBytesAsync(CatalogPath, damaged);
            var failure = await Record.ExceptionAsync(async () =>
            {
                await using var catalog = await OpenAsync(create: false);
                await catalog.ReadAsync(read => read.BlockReferences.Scan(null, int.MaxValue), CancellationToken.None);
                await PutBlocksAsync(catalog, 20_000);
            });
            Assert.True(failure is null or CatalogException, failure?.ToString());
        }

        CollectGarbage();
    }

    [Fact]
    public async Task AnAcknowledgedGroupThatRottedIsNotCutOffSilently()
    {
        await using (var catalog = await OpenAsync(create: true))
        {
            for (var round = 0; round < 5; round++)
            {
                await PutBlocksAsync(catalog, round * 100, 3);
            }
        }

        var log = Path.ChangeExtension(CatalogPath, ".wal");
        var bytes = await File.ReadAllBytesAsync(log);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(log, bytes);

        var failure = await Assert.ThrowsAsync<CatalogException>(() => OpenAsync(create: false));

        Assert.Contains("damaged", failure.Message, StringComparison.Ordinal);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(log));
    }

    [Fact]
    public async Task FailedTransactionsLeaveNothingForTheFinalizer()
    {
        await using var catalog = await OpenAsync(create: true);
        for (var round = 0; round < 20; round++)
        {
            await Assert.ThrowsAsync<TimeoutException>(() => catalog.WriteAsync<bool>(
                write =>
                {
                    write.BlockReferences.Put([.. Enumerable.Range(0, 200).Select(Block)]);
                    throw new TimeoutException();
                },
                CancellationToken.None));
        }

        // An abandoned LiteDB transaction ends the process when it is collected.
        CollectGarbage();
        Assert.Empty(await catalog.ReadAsync(read => read.BlockReferences.Scan(null, 10), CancellationToken.None));
    }

    [Fact]
    public async Task TidyingTheLockFileAwayLosesNoUpdate()
    {
        await using var first = await OpenAsync(create: true);
        await using var second = await OpenAsync(create: false);
        for (var round = 0; round < 10; round++)
        {
            await PutBlocksAsync(first, round * 200);
            File.Delete(_directory["store/catalog.lock"]);
            await PutBlocksAsync(second, (round * 200) + 100);
        }

        var found = await first.ReadAsync(read => read.BlockReferences.Scan(null, 10_000), CancellationToken.None);
        Assert.Equal(2_000, found.Count);
    }

    [Fact]
    public async Task ADeadOwnersFileIsRemovedWhenItIsFound()
    {
        await using var second = await OpenAsync(create: true);
        var first = await OpenAsync(create: false);
        await LeaseAsync(first);
        var file = Assert.Single(Directory.GetFiles(_directory["store/catalog.owners"], "*.lock"));
        await first.DisposeAsync();

        // A killed process leaves its file behind, unlocked.
        await File.WriteAllBytesAsync(file, []);
        await LeaseAsync(second);

        Assert.False(File.Exists(file));
    }

    private static void CollectGarbage()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    private void ChangeLayout(int version)
    {
        using var disk = new FileCatalogDisk(new CatalogPaths(CatalogPath), CatalogFileUse.Write);
        using var hash = new Sha256WalHash();
        using var data = new TransactionalDataStream(disk, hash, new PagePool());
        using var engine = new LiteEngine(new EngineSettings { DataStream = data, LogStream = new MemoryStream() });
        var row = new BsonDocument { [LiteDbSchema.Key] = "schema", [LiteDbSchema.Value] = version };
        engine.Update(LiteDbSchema.Meta, [row]);
        engine.Checkpoint();
    }

    private Task<LiteDbCatalog> OpenAsync(bool create) => LiteDbCatalog.OpenAsync(
        new LiteDbCatalogOptions { Path = CatalogPath, Create = create }, CancellationToken.None);

    private static Task LeaseAsync(LiteDbCatalog catalog) => catalog.WriteAsync(
        write => write.Leases.TryAcquire("volume:v", LeaseMode.Exclusive, "test", out _, out _) ? true
            : throw new InvalidOperationException(),
        CancellationToken.None);

    private static Task PutBlocksAsync(LiteDbCatalog catalog, int first, int count = 100) => catalog.WriteAsync(
        write =>
        {
            write.BlockReferences.Put([.. Enumerable.Range(first, count).Select(Block)]);
            return true;
        },
        CancellationToken.None);

    private static BlockRow Block(int number)
    {
        var bytes = new byte[Hash256.Size];
        new Random(number).NextBytes(bytes);
        return new BlockRow(
            new BlockId(new Hash256(bytes)),
            "storage",
            BlockForm.Whole,
            1,
            1,
            1,
            [],
            null,
            false,
            ReferenceState.Live,
            DateTimeOffset.UnixEpoch);
    }
}
