using Benji.Store.Catalogs;
using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Store.Operations.Running;
using Benji.Store.Posix;
using Benji.Store.Posix.Paths;

namespace Benji.Store.Operations.Overlays;

/// <summary>An overlay as a user named it: by its name, or by the id that its file in a mount has.</summary>
/// <param name="Text">What the user wrote.</param>
/// <param name="Id">The id; null for a name.</param>
internal readonly record struct NamedOverlay(string Text, Guid? Id);

/// <summary>Finds the overlay that a user means: <c>volume/version@overlay</c>, or the path of its file in a mount.</summary>
/// <remarks>No name ends in <c>.img</c> or begins with a slash or a dot, so that a path is known as one.</remarks>
internal static class OverlayResolver
{
    private const int AttributeLengthMax = 256;

    /// <summary>Reads what a user wrote. A path counts only when the file system there is a mount of this store, which says
    /// which image it is: another store's may have the same names, and attributes may have been copied to any file.</summary>
    /// <exception cref="NotFoundException">There is no such file.</exception>
    /// <exception cref="UsageException">The file is in no mount, or in that of another store.</exception>
    /// <exception cref="StorageException">It could not be looked up.</exception>
    public static NamedOverlay Read(string text, StorePlace place)
    {
        if (!text.StartsWith('/') && !text.StartsWith('.') && !text.EndsWith(".img", StringComparison.Ordinal))
        {
            return new NamedOverlay(text, Id: null);
        }

        try
        {
            using var file = PlacedFile.Find(text);
            return new NamedOverlay(text, Prove(
                text,
                file.FindFileSystem(),
                file.FindAttribute(ImageFile.IdAttribute, AttributeLengthMax),
                file.FindAttribute(ImageFile.StoreAttribute, AttributeLengthMax),
                place));
        }
        catch (PosixException failure)
            when (failure.Errno is Errno.NotFound or Errno.NotDirectory or Errno.StaleHandle)
        {
            throw new NotFoundException($"There is no file {text}.", failure);
        }
        catch (IOException failure)
        {
            throw new StorageException(failure.Message, isTransient: false, failure);
        }
    }

    /// <summary>Finds an overlay; the version in a name may be shortened, or <c>latest</c>.</summary>
    /// <exception cref="NotFoundException">There is none.</exception>
    /// <exception cref="UsageException">What was named is no overlay, or fits several versions.</exception>
    public static ImageEntry Resolve(ICatalogTransaction transaction, NamedOverlay named) =>
        named.Id is { } id ? Resolve(transaction, named.Text, id) : Resolve(transaction, named.Text);

    /// <summary>Returns the id of the image that a file is, when all of it says that it is one of this store.</summary>
    /// <param name="text">The path, for messages.</param>
    /// <param name="fileSystem">The type of the file system there; null when nobody can tell.</param>
    /// <param name="idText">What it says the image's id is, or null.</param>
    /// <param name="store">What it says its store is, or null.</param>
    /// <param name="place">This store.</param>
    /// <exception cref="UsageException">It is not.</exception>
    internal static Guid Prove(string text, string? fileSystem, string? idText, string? store, StorePlace place)
    {
        if (fileSystem != ImageFile.FileSystem || !Guid.TryParseExact(idText, "N", out var id))
        {
            throw new UsageException(
                $"{text} is no image of a benji mount; name the overlay as volume/version@overlay.");
        }

        return store is not null && store == place.FindIdentity()
            ? id
            : throw new UsageException(
                $"{text} is in the mount of another store than {place.CatalogPath}; give the configuration of that store, or " +
                "name an overlay of this one as volume/version@overlay.");
    }

    private static ImageEntry Resolve(ICatalogTransaction transaction, string path, Guid id)
    {
        if (transaction.Versions.Find(id) is { } version)
        {
            throw new UsageException($"{path} is version {version.Name}, and not an overlay.");
        }

        var row = transaction.Overlays.List(baseId: null).FirstOrDefault(overlay => overlay.Id == id);
        var found = row is null ? null : transaction.Versions.Find(row.BaseId);
        return found is null
            ? throw new NotFoundException($"The overlay {path} is gone; 'benji overlay ls' lists what there is.")
            : Describe(found, row!);
    }

    private static ImageEntry Resolve(ICatalogTransaction transaction, string name)
    {
        var at = name.IndexOf('@', StringComparison.Ordinal);
        if (at < 0)
        {
            throw new UsageException(
                $"{Names.Show(name)} is not the name of an overlay: that is volume/version@overlay. " +
                "'benji overlay ls' lists what there is.");
        }

        var version = VersionResolver.Resolve(transaction, name[..at]);
        var row = transaction.Overlays.Find(version.Id, name[(at + 1)..])
            ?? throw new NotFoundException(
                $"Version {version.Name} has no overlay {Names.Show(name[(at + 1)..])}; " +
                "'benji overlay ls' lists what there is.");
        return Describe(version, row);
    }

    private static ImageEntry Describe(VersionRecord version, OverlayRecord row) =>
        new(version, new OverlayEntry(row.Id, row.Name, row.Created, DirtyBytes: 0, Holder: null));
}
