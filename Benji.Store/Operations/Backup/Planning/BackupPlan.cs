using Benji.Store.Blocks;
using Benji.Store.Model;
using Benji.Store.Operations.Running;
using Benji.Store.Sources;

namespace Benji.Store.Operations.Backup.Planning;

/// <summary>Plans a backup of a source: all of it, or what hints name once a sample of them was believed.</summary>
internal sealed class BackupPlan(
    StoreContext context,
    OpenedStore store,
    ISource source,
    HintMap? hints,
    BackupBase origin,
    IOperationProgress progress) : IBuildPlan
{
    /// <inheritdoc/>
    public BackupBase Origin => origin;

    /// <inheritdoc/>
    public bool IsPartial => hints is not null;

    /// <inheritdoc/>
    public async ValueTask<IBlockPlanner> StartAsync(
        BaseMap baseMap, SourceReader reader, BlockGeometry geometry, CancellationToken cancellationToken)
    {
        if (hints is null)
        {
            return new FullPlanner(source, geometry, baseMap);
        }

        if (hints.Count == 0)
        {
            Log.HintsEmpty(context.Logger, origin.Content?.Name.ToString() ?? "a disk of zeros");
        }

        if (origin is { Content: null, Compare: { } newest })
        {
            Log.HintsWithoutBase(context.Logger, newest.Name);
        }

        progress.StartStage("sampling", null, ProgressUnit.Bytes);
        if (origin.Content is null)
        {
            await new HoleSampling(context, reader, hints, geometry).CheckAsync(cancellationToken);
        }
        else
        {
            await new HintSampling(context, store, reader, hints, origin, geometry)
                .CheckAsync(baseMap, cancellationToken);
        }

        return new HintPlanner(hints, geometry, origin.Content?.Geometry, baseMap);
    }
}
