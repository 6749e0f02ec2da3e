using Benji.Store.Catalogs.LiteDb.Reading;
using Benji.Store.Model;
using Benji.Store.Posix;

namespace Benji.Store.Catalogs.LiteDb;

/// <summary>Opens a catalog as its place allows: for all, or for reading where nothing can be written.</summary>
internal static class LiteDbOpening
{
    /// <summary>Opens the catalog.</summary>
    /// <param name="options">Where it is.</param>
    /// <param name="mayOnlyRead">True for somebody who can do without writing; no failure but a refused write leads there.</param>
    /// <param name="cancellationToken">Stops the wait for other processes.</param>
    /// <exception cref="NotFoundException">There is no catalog, and none is to be made.</exception>
    /// <exception cref="ReadOnlyException">It cannot be written, which is needed.</exception>
    /// <exception cref="ConfigurationException">A newer program made it.</exception>
    /// <exception cref="CatalogException">It cannot be read or made.</exception>
    public static async Task<ICatalog> OpenAsync(
        LiteDbCatalogOptions options, bool mayOnlyRead, CancellationToken cancellationToken)
    {
        try
        {
            return await LiteDbCatalog.OpenAsync(options, cancellationToken);
        }
        catch (CatalogException failure) when (failure.InnerException is PosixException { IsRefused: true } cause)
        {
            return mayOnlyRead
                ? await ReadOnlyCatalog.OpenAsync(options, cancellationToken)
                : throw new ReadOnlyException(
                    $"The catalog {options.Path} cannot be written: {cause.Message}. This command needs that: mount the file "
                    + "system writable, or run it as the user to whom the store belongs. Commands that only read work as it is.",
                    failure);
        }
    }
}
