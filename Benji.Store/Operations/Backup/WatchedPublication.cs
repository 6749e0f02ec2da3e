using Benji.Store.Blocks.Age;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Backup;

/// <summary>Publishes a version as valid or invalid, as the marks of its blocks stand in the transaction that publishes it.</summary>
internal sealed class WatchedPublication(StoreContext context, AgeWatch age, BackupPublication publication)
{
    /// <summary>Makes the version visible.</summary>
    /// <param name="result">What was built.</param>
    /// <param name="known">The blocks that were marked when the run began.</param>
    /// <returns>The same with the version's status, and whether it uses blocks that were marked since the run began.</returns>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age; nothing is visible.</exception>
    /// <exception cref="LeaseLostException">The run lost its claim; nothing is visible.</exception>
    public async Task<BackupResult> RunAsync(BackupResult result, IReadOnlySet<BlockId> known)
    {
        var watch = new DamageWatch(context, age.Store);
        while (true)
        {
            var damaged = await watch.FindAsync(result.Version);
            var version = result.Version with
            {
                Status = damaged is { Count: 0 } ? VersionStatus.Valid : VersionStatus.Invalid,
            };
            if (await publication.PublishAsync(version, age, watch.IsOutdated))
            {
                var isNew = damaged?.Any(id => !known.Contains(id)) ?? false;
                if (isNew)
                {
                    Log.VersionUsesNewDamage(context.Logger, version.Name);
                }

                return result with { Version = version, UsesNewDamage = isNew };
            }
        }
    }
}
