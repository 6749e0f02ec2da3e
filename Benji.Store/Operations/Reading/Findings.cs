using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Reading;

/// <summary>Records what a command that reads has found, after it is sure to be told.</summary>
internal static class Findings
{
    /// <summary>Records; where the disk is full or may not be written, a warning says so, and the command goes on.</summary>
    /// <param name="context">The store.</param>
    /// <param name="version">What was read.</param>
    /// <param name="otherwise">The result where nothing, or not all, was recorded.</param>
    /// <param name="record">Records.</param>
    public static async Task<T> RecordAsync<T>(StoreContext context, VersionName version, T otherwise, Func<Task<T>> record)
    {
        try
        {
            return await record();
        }
        catch (BenjiException failure) when (failure is StorageException or CatalogException or InUseException)
        {
            Log.FindingsNotRecorded(context.Logger, version, failure.Message);
            return otherwise;
        }
    }
}
