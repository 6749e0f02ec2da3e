using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Operations.Cleanup;
using Benji.Testing.Catalogs;

namespace Benji.Tests.Operations;

/// <summary>One process on a <see cref="CleanupWorld"/>: it backs up, removes, recovers and cleans up as the product
/// does, step by step.</summary>
internal sealed class CleanupProcess : IAsyncDisposable
{
    private readonly CleanupWorld _world;
    private readonly MemoryCatalog _own;
    private readonly ICatalog _catalog;
    private readonly OpenedStore _store;
    private readonly TimeProvider _time;
    private readonly PendingDeletions _deletions;
    private readonly ManifestStore _manifests;

    public CleanupProcess(
        CleanupWorld world, MemoryCatalog own, ICatalog catalog, OpenedStore store, TimeProvider time)
    {
        (_world, _own, _catalog, _store, _time) = (world, own, catalog, store, time);
        _deletions = new PendingDeletions(store, catalog, time);
        _manifests = new ManifestStore(store);
        Pages = new PageStore(store, catalog, _deletions, time);
    }

    public PageStore Pages { get; }

    /// <summary>Dies: its leases are those of a dead owner, and nothing it still does reaches the catalog.</summary>
    public ValueTask DisposeAsync() => _own.DisposeAsync();

    public async Task<VersionRecord?> BackUpAsync(
        string volume, long blockCount, IReadOnlyDictionary<long, int> changes, Random random)
    {
        var lease = await AcquireAsync(LeaseResource.Volume(volume), LeaseMode.Exclusive);
        if (lease is null)
        {
            return null;
        }

        var id = Guid.NewGuid();
        var geometry = new BlockGeometry(blockCount * CleanupWorld.BlockSize, CleanupWorld.BlockSize);
        var (origin, reading) = await WriteAsync(transaction =>
        {
            var latest = transaction.Versions.FindLatest(volume, status: null);
            return (latest, latest is null
                ? null
                : Acquire(transaction, LeaseResource.Version(latest.Id), LeaseMode.Shared));
        });
        if (origin is not null && reading is null)
        {
            // It is being removed.
            await ReleaseAsync(lease);
            return null;
        }

        var name = new VersionName(volume, id.ToString("N"));
        await WriteAsync(transaction =>
        {
            transaction.Intents.Put(new Intent(
                IntentKind.Publish, id, name, CleanupWorld.Storage, lease.Fencing, _time.GetUtcNow()));
            return true;
        });
        var contents = new SortedDictionary<long, int>(
            (origin is null ? [] : _world.Contents[origin.Id]).Where(block => block.Key < blockCount).ToDictionary());
        var baseMap = origin is null ? null : new MapReader(Pages, origin.Root, origin.Geometry);
        var map = new MapBuilder(Pages, baseMap, geometry);
        foreach (var (index, content) in changes.Where(change => change.Key < blockCount))
        {
            var lender = contents.TryGetValue(index, out var before) && random.Next(2) == 0
                ? CleanupWorld.IdOf(before)
                : (BlockId?)null;
            contents[index] = content;
            await StoreAsync(CleanupWorld.IdOf(content), lender);
            map.Set(index, CleanupWorld.IdOf(content));
        }

        _world.Contents.Add(id, contents);
        var version = new VersionRecord
        {
            Id = id,
            Name = name,
            Date = _time.GetUtcNow(),
            Size = geometry.Size,
            BlockSize = geometry.BlockSize,
            Storage = CleanupWorld.Storage,
            Root = await map.CompleteAsync(CancellationToken.None),
            AllocatedBytes = 0,
        };
        await _manifests.PutAsync(version, CancellationToken.None);
        await WriteAsync(transaction =>
        {
            Invariant.Holds(transaction.Leases.IsHeld(lease));
            transaction.Versions.Add(version);
            transaction.Intents.Remove(id);
            transaction.Leases.Release(lease);
            if (reading is not null)
            {
                transaction.Leases.Release(reading);
            }

            return true;
        });
        return version;
    }

    public async Task RemoveAsync(Random random)
    {
        var removal = await WriteAsync(transaction =>
        {
            var versions = transaction.Versions.List(volume: null);
            if (versions.Count == 0)
            {
                return default;
            }

            var version = versions[random.Next(versions.Count)];
            var lease = Acquire(transaction, LeaseResource.Version(version.Id), LeaseMode.Exclusive);
            if (lease is not null)
            {
                transaction.Intents.Put(new Intent(
                    IntentKind.Remove, version.Id, version.Name, version.Storage, lease.Fencing, _time.GetUtcNow()));
            }

            return (Version: version, Lease: lease);
        });
        if (removal.Lease is not null)
        {
            await FinishRemovalAsync(removal.Version.Id, removal.Version.Name, removal.Lease);
        }
    }

    /// <summary>Finishes what the dead left, as the next command does.</summary>
    public async Task RecoverAsync()
    {
        foreach (var intent in await _catalog.ReadAsync(Abandoned, CancellationToken.None))
        {
            var lease = await WriteAsync(transaction => Abandoned(transaction).Contains(intent)
                ? Acquire(transaction, LeaseResource.Version(intent.VersionId), LeaseMode.Exclusive)
                : null);
            if (lease is null)
            {
                continue;
            }

            if (intent.Kind == IntentKind.Remove)
            {
                await FinishRemovalAsync(intent.VersionId, intent.Name, lease);
                continue;
            }

            var manifest = await _manifests.FindAsync(intent.Name, CancellationToken.None);
            await WriteAsync(transaction =>
            {
                if (manifest is not null && transaction.Versions.Find(manifest.Id) is null)
                {
                    transaction.Versions.Add(manifest);
                }

                transaction.Intents.Remove(intent.VersionId);
                transaction.Leases.Release(lease);
                return true;
            });
        }
    }

    public async Task<CleanupResult?> CleanUpAsync(TimeSpan grace, (int Leaves, int Blocks)? slots = null)
    {
        var lease = await AcquireAsync(LeaseResource.Cleanup, LeaseMode.Exclusive);
        if (lease is null)
        {
            return null;
        }

        var stores = new Dictionary<string, OpenedStore> { [CleanupWorld.Storage] = _store };
        var scope = new CleanupScope(_catalog, stores, lease, _time);
        var run = slots is { } small
            ? new CleanupRun(scope, grace, NoProgress.Instance) { Sets = new MarkSets(small.Leaves, small.Blocks) }
            : new CleanupRun(scope, grace, NoProgress.Instance);
        var result = await run.RunAsync(CancellationToken.None);
        await ReleaseAsync(lease);
        return result;
    }

    /// <summary>Changes the catalog behind the program's back.</summary>
    public Task WriteAsync(Action<ICatalogTransaction> work) => WriteAsync(transaction =>
    {
        work(transaction);
        return true;
    });

    private static List<Intent> Abandoned(ICatalogTransaction transaction)
    {
        var living = transaction.Leases.List("").Select(lease => lease.Fencing).ToHashSet();
        return [.. transaction.Intents.List().Where(intent => !living.Contains(intent.Fencing))];
    }

    // The rules of docs/format.md, "Cleanup", as a writer keeps them.
    private async Task StoreAsync(BlockId id, BlockId? lender)
    {
        while (true)
        {
            var (state, lenders) = await WriteAsync(transaction =>
            {
                var row = transaction.BlockReferences.Find([id])[0];
                if (row is { State: ReferenceState.Candidate, IsInvalid: false })
                {
                    transaction.BlockReferences.SetState([id], ReferenceState.Live, _time.GetUtcNow());
                }

                var from = lender is { } origin && origin != id ? transaction.BlockReferences.Find([origin])[0] : null;
                IReadOnlyList<BlockId> owners =
                    from is null ? [] : [from.Id, .. from.Lenders.Where(other => other != id)];
                return (row is { IsInvalid: true } ? ReferenceState.Orphan : row?.State, owners.Take(4).ToList());
            });
            switch (state)
            {
                case ReferenceState.Live or ReferenceState.Candidate:
                    return;
                case ReferenceState.Deleting:
                    await _deletions.WaitAsync([id], CancellationToken.None);
                    continue;
            }

            var form = lenders.Count == 0 ? BlockForm.Whole : BlockForm.Delta;
            var content = id.Hash.ToArray();
            await _store.Storage.PutAsync(ObjectNames.Block(id, form), content, CancellationToken.None);
            await WriteAsync(transaction =>
            {
                transaction.BlockReferences.Put([new BlockRow(
                    id,
                    CleanupWorld.Storage,
                    form,
                    CleanupWorld.BlockSize,
                    CleanupWorld.BlockSize,
                    content.Length,
                    SampleLoans.Of(CleanupWorld.BlockSize, lenders),
                    null,
                    IsInvalid: false,
                    ReferenceState.Live,
                    _time.GetUtcNow())]);
                return true;
            });
            return;
        }
    }

    private async Task FinishRemovalAsync(Guid id, VersionName name, Lease lease)
    {
        await _manifests.DeleteAsync(name, CancellationToken.None);
        await WriteAsync(transaction =>
        {
            transaction.Versions.Remove(id);
            transaction.Intents.Remove(id);
            transaction.Leases.Release(lease);
            return true;
        });
    }

    private Task<Lease?> AcquireAsync(string resource, LeaseMode mode) =>
        WriteAsync(transaction => Acquire(transaction, resource, mode));

    private Task ReleaseAsync(Lease lease) => WriteAsync(transaction =>
    {
        transaction.Leases.Release(lease);
        return true;
    });

    private static Lease? Acquire(ICatalogTransaction transaction, string resource, LeaseMode mode) =>
        transaction.Leases.TryAcquire(resource, mode, "test", out var lease, out _) ? lease : null;

    private Task<T> WriteAsync<T>(Func<ICatalogTransaction, T> work) =>
        _catalog.WriteAsync(work, CancellationToken.None);
}
