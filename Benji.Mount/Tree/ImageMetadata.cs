using System.Globalization;
using System.Text;
using Benji.Store.Images;
using Benji.Store.Model;

namespace Benji.Mount.Tree;

/// <summary>What is known of an image, as the extended attributes <c>user.benji.*</c> of its file.</summary>
internal static class ImageMetadata
{
    private const string Prefix = "user.benji.";

    private static readonly (string Name, Func<ImageEntry, string?> Value)[] Fields =
    [
        (Prefix + "name", entry => entry.Name),
        (ImageFile.IdAttribute, entry => $"{entry.Id:N}"),
        (Prefix + "volume", entry => entry.Version.Name.Volume),
        (Prefix + "version", entry => entry.Version.Name.Version),
        (Prefix + "overlay", entry => entry.Overlay?.Name),
        (Prefix + "created", entry => entry.Overlay is { } overlay ? Time(overlay.Created) : null),
        (Prefix + "date", entry => Time(entry.Version.Date)),
        (Prefix + "status", entry => entry.Version.Status == VersionStatus.Valid ? "valid" : "invalid"),
        (Prefix + "protected", entry => entry.Version.IsProtected ? "true" : "false"),
        (Prefix + "snapshot", entry => entry.Version.Snapshot),
        (Prefix + "storage", entry => entry.Version.Storage),
        (Prefix + "labels", entry => string.Join('\n', entry.Version.Labels.Select(label => $"{label.Key}={label.Value}"))),
        (Prefix + "size", entry => entry.Size.ToString(CultureInfo.InvariantCulture)),
        (Prefix + "block-size", entry => entry.Version.BlockSize.ToString(CultureInfo.InvariantCulture)),
    ];

    /// <summary>Returns the value of an attribute; null when the image has none of that name.</summary>
    public static byte[]? Find(ImageEntry entry, string name)
    {
        var value = Fields.FirstOrDefault(field => field.Name == name).Value?.Invoke(entry);
        return value is null ? null : Encoding.UTF8.GetBytes(value);
    }

    /// <summary>Returns the names of an image's attributes and that of its store, each with a zero behind it.</summary>
    public static byte[] List(ImageEntry entry) => Encoding.UTF8.GetBytes(
        string.Concat(Fields.Where(field => field.Value(entry) is not null).Select(field => field.Name)
            .Append(ImageFile.StoreAttribute).Select(name => name + '\0')));

    private static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);
}
