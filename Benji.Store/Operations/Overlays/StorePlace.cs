using System.Globalization;
using Benji.Store.Model;
using Benji.Store.Posix;

namespace Benji.Store.Operations.Overlays;

/// <summary>Where a store is on this host, by which it is told from every other one, its own copies included.</summary>
/// <param name="CatalogPath">The file of the catalog.</param>
/// <param name="OverlayPath">The directory of overlay files.</param>
internal sealed record StorePlace(string CatalogPath, string OverlayPath)
{
    /// <summary>Returns a text that is the same in all processes of this host that use the catalog, by whatever path, and
    /// another one for any other catalog: the numbers of its file system and file.</summary>
    /// <returns>Null when there is no catalog any more.</returns>
    /// <exception cref="StorageException">It could not be looked up.</exception>
    public string? FindIdentity()
    {
        try
        {
            return FileStatus.Find(CatalogPath, followLink: true) is { } file
                ? string.Create(CultureInfo.InvariantCulture, $"{file.FileSystem}:{file.Inode}")
                : null;
        }
        catch (PosixException failure)
        {
            throw new StorageException(failure.Message, isTransient: false, failure);
        }
    }
}
