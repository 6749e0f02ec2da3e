using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Reading;

/// <summary>Records what a reader found; what cannot be recorded is a warning, as what was found stands all the same.</summary>
internal sealed class Recording(StoreContext context)
{
    /// <summary>Records something.</summary>
    /// <param name="finding">What was found, as the warning begins: "The damage of vm/a/v1".</param>
    /// <param name="otherwise">What is answered when it cannot be recorded.</param>
    /// <param name="record">Records it.</param>
    public async Task<T> TryAsync<T>(string finding, T otherwise, Func<Task<T>> record)
    {
        if (context.Catalog.IsReadOnly)
        {
            Log.NotRecorded(context.Logger, finding, "the catalog can only be read here.");
            return otherwise;
        }

        try
        {
            return await record();
        }
        catch (BenjiException failure) when (IsOfPlace(failure))
        {
            Log.NotRecorded(context.Logger, finding, failure.Message);
            return otherwise;
        }
    }

    /// <summary>True for a failure of the place where something was to be written, not of what was found.</summary>
    public static bool IsOfPlace(BenjiException failure) =>
        failure is StorageException or CatalogException or ReadOnlyException or NoSpaceException or InUseException;
}
