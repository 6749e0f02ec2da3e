using Benji.Store.Blocks;
using Benji.Store.Model;

namespace Benji.Store.Operations.Running;

/// <summary>A manifest of another catalog's version that has the name of one of this catalog's.</summary>
internal static class ForeignManifest
{
    /// <summary>Says what is there, what that means for what was asked for, and what to do.</summary>
    /// <param name="store">The storage.</param>
    /// <param name="name">The name.</param>
    /// <param name="consequence">A sentence.</param>
    public static AgeMismatchException Refusal(OpenedStore store, VersionName name, string consequence) => new(
        $"Storage {store.Name} ({store.Storage.Traits.Description}) holds another version {name}, which this catalog does not "
        + $"know: another catalog is used with it. {consequence} 'benji rebuild --force' makes a new catalog from the storage.");
}
