using Benji.Store.Blocks;
using Benji.Store.Blocks.Age;
using Benji.Store.Blocks.Maps;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Operations.Backup;
using Benji.Store.Operations.Backup.Planning;
using Benji.Store.Operations.Cleanup;
using Benji.Store.Operations.Reading;
using Benji.Store.Operations.Removal;
using Benji.Store.Operations.Running;
using Benji.Testing.Catalogs;
using Benji.Testing.Images;
using Benji.Testing.Interleaving;

namespace Benji.Tests.Operations.Cleanup;

/// <summary>One process on a <see cref="CleanupWorld"/>. What it does, the product does; only the stages of a backup are put
/// together here, one after the other, where the product has workers.</summary>
internal sealed class CleanupProcess : IAsyncDisposable
{
    private const int Lanes = 2;

    private readonly CleanupWorld _world;
    private readonly MemoryCatalog _own;
    private readonly ICatalog _catalog;
    private readonly OpenedStore _store;
    private readonly TimeProvider _time;

    public CleanupProcess(
        CleanupWorld world, MemoryCatalog own, ICatalog catalog, OpenedStore store, TimeProvider time)
    {
        (_world, _own, _catalog, _store, _time) = (world, own, catalog, store, time);
        Context = new StoreContext
        {
            Catalog = catalog,
            Stores = new OneStore(new AgeWatch(store, catalog, time)),
            Sources = new MemoryImages(),
            CheckTarget = _ => { },
            Pool = store.Pool,
            Time = time,
            Logger = world.Log,
            Settings = new OperationSettings(CleanupWorld.BlockSize, TimeSpan.Zero, TimeSpan.Zero, Workers: 1),
        };
    }

    public StoreContext Context { get; }

    public OpenedStore Store => _store;

    /// <summary>Dies: its leases are those of a dead owner, and nothing it still does reaches the catalog.</summary>
    public ValueTask DisposeAsync() => _own.DisposeAsync();

    /// <summary>Backs a volume up: its newest version, with another size and some other blocks.</summary>
    /// <param name="volume">The volume.</param>
    /// <param name="blockCount">Blocks in the new version.</param>
    /// <param name="edit">Changes the contents by index; blocks that it leaves alone are taken from the newest version.</param>
    /// <param name="random">Decides what the source does not.</param>
    /// <param name="fails">True when the source fails at the end.</param>
    /// <returns>The version, or null when the volume or its newest version was in use, or the source failed.</returns>
    public async Task<VersionRecord?> BackUpAsync(
        string volume,
        long blockCount,
        Action<SortedDictionary<long, int>> edit,
        Random random,
        bool fails = false)
    {
        try
        {
            await using var held = await HeldLease.AcquireAsync(
                _catalog, _time, LeaseResource.Volume(volume), LeaseMode.Exclusive, "test", CancellationToken.None);
            return await BackUpAsync(held.Lease, volume, blockCount, edit, random, fails);
        }
        catch (Exception failure) when (failure is InUseException or FailingSourceException)
        {
            return null;
        }
    }

    /// <summary>Removes a version, chosen by its place among all.</summary>
    public async Task RemoveAsync(Random random)
    {
        var versions = await _catalog.ReadAsync(
            transaction => transaction.Versions.List(volume: null), CancellationToken.None);
        if (versions.Count > 0)
        {
            await RemoveAsync(versions[random.Next(versions.Count)]);
        }
    }

    public async Task RemoveAsync(VersionRecord version)
    {
        try
        {
            _world.Removing.Add(version.Id);
            await new RemoveOperation(Context).RunAsync(
                new RemoveRequest { Versions = [version.Name.ToString()], Force = true }, CancellationToken.None);
            _world.Removed.Add(version.Id);
        }
        catch (Exception failure) when (failure is InUseException or NotFoundException)
        {
            // A backup builds on it, or somebody else was faster.
        }
    }

    /// <summary>Finishes what the dead left, as the next command does.</summary>
    public Task RecoverAsync() => new IntentRecovery(Context).RunAsync(CancellationToken.None);

    /// <summary>Cleans up, unless another cleanup is under way.</summary>
    /// <param name="grace">The grace period.</param>
    /// <param name="sets">What to mark in; null for the product's sets.</param>
    /// <param name="lendersMax">How many lenders a pass keeps back.</param>
    public async Task<CleanupResult?> CleanUpAsync(
        TimeSpan grace, MarkSets? sets = null, int lendersMax = CleanupOrder.RowsMaxDefault)
    {
        try
        {
            var cleanup = new CleanupOperation(
                Context, new CleanupRequest { OlderThan = grace }, NoProgress.Instance)
            {
                Sets = sets ?? new MarkSets(),
                LendersMax = lendersMax,
            };
            return await cleanup.RunAsync(CancellationToken.None);
        }
        catch (InUseException)
        {
            return null;
        }
    }

    /// <summary>Scrubs a version deeply.</summary>
    public Task<ScrubResult> ScrubAsync(VersionRecord version) => new ScrubOperation(
        Context, new ScrubRequest { Version = version.Name.ToString(), IsDeep = true }, NoProgress.Instance)
        .RunAsync(CancellationToken.None);

    /// <summary>Changes the catalog behind the program's back.</summary>
    public Task WriteAsync(Action<ICatalogTransaction> work) => WriteAsync(transaction =>
    {
        work(transaction);
        return true;
    });

    /// <summary>Changes the catalog behind the program's back.</summary>
    public Task<T> WriteAsync<T>(Func<ICatalogTransaction, T> work) => _own.WriteAsync(work, CancellationToken.None);

    /// <summary>Claims a resource alone.</summary>
    public Task<Lease> AcquireAsync(string resource) =>
        WriteAsync(transaction => HeldLease.AcquireIn(transaction, resource, LeaseMode.Exclusive, "test"));

    /// <summary>Loses a lease, as a process that somebody took for dead does.</summary>
    public Task LoseAsync(Lease lease) => WriteAsync(transaction => transaction.Leases.Release(lease));

    /// <summary>What the parts of a cleanup work with.</summary>
    public async Task<CleanupScope> BeginCleanupAsync() =>
        new(_catalog, _store, await AcquireAsync(LeaseResource.Cleanup), _time);

    /// <summary>What a pass of a cleanup without a grace period goes by.</summary>
    public Task<CleanupRoots> ReadRootsAsync() => _own.ReadAsync(
        transaction => CleanupRoots.Read(transaction, CleanupWorld.Storage, _time, TimeSpan.Zero), CancellationToken.None);

    private async Task<VersionRecord?> BackUpAsync(
        Lease volumeLease,
        string volume,
        long blockCount,
        Action<SortedDictionary<long, int>> edit,
        Random random,
        bool fails)
    {
        var request = new BackupRequest { Source = "test", Volume = volume };
        var (origin, reading, invalid) = await _catalog.WriteAsync(
            transaction => Choose(transaction, request), CancellationToken.None);
        await using var held = reading is null ? null : HeldLease.Hold(_catalog, reading, _time);
        var age = await Context.Stores.OpenForChangeAsync(origin.Storage, CancellationToken.None);
        await using var publication = new BackupPublication(Context, volumeLease);
        await publication.BeginAsync(volume, version: null, origin.Storage, CancellationToken.None);
        var before = origin.Compare is null ? [] : _world.Contents[origin.Compare.Id];
        var contents = new SortedDictionary<long, int>(before);
        edit(contents);
        foreach (var index in contents.Keys.Where(index => index >= blockCount || contents[index] == 0).ToList())
        {
            contents.Remove(index);
        }

        _world.Contents[publication.Id] = contents;
        try
        {
            var build = new CleanupBuild(Context, _store, origin, invalid, publication, random);
            var version = await build.RunAsync(blockCount, before, contents, Lanes);
            if (fails)
            {
                throw new FailingSourceException();
            }

            var result = new BackupResult(version, origin.Compare?.Name, 0, 0, 0, 0, 0, 0, 0);
            result = await new WatchedPublication(Context, age, publication).RunAsync(result, invalid);
            _world.Published.Add(version.Id);
            return result.Version;
        }
        catch (Exception failure) when (failure is not KilledException)
        {
            _world.Failed.Add(publication.Id);
            throw;
        }
    }

    // As a backup does: the base is chosen and claimed in one transaction.
    private static (BackupBase Base, Lease? Lease, IReadOnlySet<BlockId> Invalid) Choose(
        ICatalogTransaction transaction, BackupRequest request)
    {
        var origin = BackupBase.Choose(
            transaction, request, hasHints: false, CleanupWorld.BlockSize, CleanupWorld.Storage);
        return (
            origin,
            origin.Compare is null
                ? null
                : HeldLease.AcquireIn(
                    transaction, LeaseResource.Version(origin.Compare.Id), LeaseMode.Shared, "test"),
            transaction.BlockReferences.ListInvalid().ToHashSet());
    }

    private sealed class FailingSourceException : Exception;

    private sealed class OneStore(AgeWatch age) : IStoreDirectory
    {
        public IReadOnlyList<string> Names => [CleanupWorld.Storage];

        public async Task<OpenedStore> OpenForReadingAsync(string name, CancellationToken cancellationToken)
        {
            await age.LookUnlessRecentAsync(cancellationToken);
            return age.Store;
        }

        public async Task<AgeWatch> OpenForChangeAsync(string name, CancellationToken cancellationToken)
        {
            await age.LookUnlessRecentAsync(cancellationToken);
            return age;
        }

        public Task<bool> MayMendAsync(string name, CancellationToken cancellationToken) => Task.FromResult(true);
    }
}
