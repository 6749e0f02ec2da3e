using Benji.Store.Model;

namespace Benji.Store.Images;

/// <summary>One image of the directory: a version, or an overlay of it.</summary>
/// <param name="Version">The version, or the base of the overlay.</param>
/// <param name="Overlay">The overlay; null for the version itself.</param>
public sealed record ImageEntry(VersionRecord Version, OverlayEntry? Overlay = null)
{
    /// <summary>The random id of the version or overlay: never used again for other content.</summary>
    public Guid Id => Overlay?.Id ?? Version.Id;

    /// <summary>The full name: <c>volume/version</c> or <c>volume/version@overlay</c>.</summary>
    public string Name => Overlay is null ? Version.Name.ToString() : $"{Version.Name}@{Overlay.Name}";

    /// <summary>Bytes in the image.</summary>
    public long Size => Version.Size;
}

/// <summary>One overlay of a version.</summary>
/// <param name="Id">Its random id.</param>
/// <param name="Name">Its name, unique on its base.</param>
/// <param name="Created">When it was made, UTC.</param>
/// <param name="DirtyBytes">Bytes of disk that it holds.</param>
/// <param name="Holder">Who has it open, for a person; null when nobody has.</param>
public sealed record OverlayEntry(Guid Id, string Name, DateTimeOffset Created, long DirtyBytes, string? Holder);
