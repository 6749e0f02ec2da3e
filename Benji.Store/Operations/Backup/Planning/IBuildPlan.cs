using Benji.Store.Model;

namespace Benji.Store.Operations.Backup.Planning;

/// <summary>What a new version builds on, and which of its blocks must be looked at.</summary>
internal interface IBuildPlan
{
    /// <summary>The versions that it compares with and starts from.</summary>
    BackupBase Origin { get; }

    /// <summary>True when blocks that are not planned are the content base's, or holes without one; false when all are
    /// planned and compared.</summary>
    bool IsPartial { get; }

    /// <summary>Checks what must be checked first and returns the planner.</summary>
    /// <param name="baseMap">The blocks to compare with.</param>
    /// <param name="reader">Reads the source.</param>
    /// <param name="geometry">The new version.</param>
    /// <param name="cancellationToken">Stops the check.</param>
    /// <exception cref="InputDataException">What was said of the source is not so.</exception>
    ValueTask<IBlockPlanner> StartAsync(
        BaseMap baseMap, SourceReader reader, BlockGeometry geometry, CancellationToken cancellationToken);
}
