using Benji.Store.Catalogs;
using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Store.Operations.Running;
using Benji.Store.Posix;

namespace Benji.Store.Operations.Overlays;

/// <summary>Finds the overlay that a user means: <c>volume/version@overlay</c>, or the path of its file in a mount.</summary>
/// <remarks>No name ends in <c>.img</c> or begins with a slash or a dot, so that a path is known as one.</remarks>
internal static class OverlayResolver
{
    private const string NameAttribute = "user.benji.name";
    private const int NameLengthMax = 1024;

    /// <summary>Returns the name that a text stands for; that of an image when it is a path in a mount.</summary>
    /// <exception cref="NotFoundException">There is no such file.</exception>
    /// <exception cref="UsageException">The file is in no mount.</exception>
    public static string ReadName(string text)
    {
        if (!text.StartsWith('/') && !text.StartsWith('.') && !text.EndsWith(".img", StringComparison.Ordinal))
        {
            return text;
        }

        try
        {
            return ExtendedAttribute.Find(text, NameAttribute, NameLengthMax)
                ?? throw new UsageException(
                    $"{text} is no image of a benji mount; name the overlay as volume/version@overlay.");
        }
        catch (PosixException failure) when (failure.Errno is Errno.NotFound or Errno.NotDirectory)
        {
            throw new NotFoundException($"There is no file {text}.", failure);
        }
        catch (PosixException failure)
        {
            throw new StorageException(failure.Message, isTransient: false, failure);
        }
    }

    /// <summary>Finds an overlay by its name; the version in it may be shortened, or <c>latest</c>.</summary>
    /// <exception cref="NotFoundException">There is none.</exception>
    /// <exception cref="UsageException">The name is that of no overlay, or fits several versions.</exception>
    public static ImageEntry Resolve(ICatalogTransaction transaction, string name)
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
        return new ImageEntry(version, new OverlayEntry(row.Id, row.Name, row.Created, DirtyBytes: 0, Holder: null));
    }
}
