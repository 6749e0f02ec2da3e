using System.Globalization;
using Benji.Store.Model;

namespace Benji.Store.Catalogs;

/// <summary>The map of a version that is open as an image, as the resource of its lease spells it.</summary>
/// <remarks>So the lease alone keeps the blocks: the version itself may be gone.</remarks>
/// <param name="VersionId">The version's id.</param>
/// <param name="Storage">The configured name of its storage.</param>
/// <param name="Root">The root of its block map.</param>
/// <param name="Levels">The levels of its block map.</param>
internal sealed record ImageRoot(Guid VersionId, string Storage, PageId Root, int Levels)
{
    private const int Parts = 4;

    /// <summary>Returns the lease's resource for a version.</summary>
    public static string ResourceOf(VersionRecord version) => string.Create(
        CultureInfo.InvariantCulture,
        $"{LeaseResource.ImagePrefix}{version.Id:N}:{version.Geometry.Levels}:{version.Root}:{version.Storage}");

    /// <summary>Reads a lease's resource.</summary>
    /// <exception cref="CatalogException">It is none of an image: a newer program wrote it.</exception>
    public static ImageRoot Parse(string resource)
    {
        var parts = resource[LeaseResource.ImagePrefix.Length..].Split(':', Parts);
        return parts.Length == Parts
            && Guid.TryParseExact(parts[0], "N", out var id)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var levels)
            && Hash256.TryParse(parts[2], out var root)
            ? new ImageRoot(id, parts[3], new PageId(root), levels)
            : throw new CatalogException($"The lease {Names.Show(resource)} was made by a newer version of this program.");
    }
}
