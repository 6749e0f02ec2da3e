namespace Benji.Store.Operations.Backup.Planning;

/// <summary>Says which blocks a backup looks at, in the order of their indexes.</summary>
internal interface IBlockPlanner
{
    /// <summary>Lists the blocks; every other block of the new version is the base version's, or a hole without one.</summary>
    IAsyncEnumerable<PlannedBlock> PlanAsync(CancellationToken cancellationToken);
}
