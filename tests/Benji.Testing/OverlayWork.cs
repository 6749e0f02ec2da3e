using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Store.Operations;

namespace Benji.Testing;

/// <summary>What tests do with the overlays of a fixture's store, in short words.</summary>
public static class OverlayWork
{
    /// <summary>Makes an overlay of a version.</summary>
    public static async Task<ImageEntry> CreateOverlayAsync(this StoreFixture store, VersionName version, string? name = "fix") =>
        await (await store.StoreAsync()).CreateOverlayAsync(version.ToString(), name);

    /// <summary>Opens an overlay.</summary>
    public static async Task<IWritableImage> OpenOverlayAsync(this StoreFixture store, ImageEntry overlay) =>
        await (await store.StoreAsync()).OpenImages().OpenOverlayAsync(overlay, CancellationToken.None);

    /// <summary>Opens an overlay, lets it be changed, and closes it.</summary>
    public static async Task ChangeOverlayAsync(
        this StoreFixture store, ImageEntry overlay, Func<IWritableImage, Task> change)
    {
        await using var image = await store.OpenOverlayAsync(overlay);
        await change(image);
    }

    /// <summary>Writes bytes to an overlay that nobody has open.</summary>
    public static Task WriteOverlayAsync(this StoreFixture store, ImageEntry overlay, long offset, byte[] data) =>
        store.ChangeOverlayAsync(overlay, async image => await image.WriteAsync(offset, data, CancellationToken.None));

    /// <summary>Promotes an overlay.</summary>
    public static async Task<BackupResult> PromoteAsync(this StoreFixture store, ImageEntry overlay, string? version = null) =>
        await (await store.StoreAsync()).PromoteAsync(
            new PromoteRequest { Overlay = overlay.Name, Version = version }, NoProgress.Instance);

    /// <summary>Removes an overlay.</summary>
    public static async Task RemoveOverlayAsync(this StoreFixture store, ImageEntry overlay, bool force = false) =>
        await (await store.StoreAsync()).RemoveOverlaysAsync(
            new OverlayRemoveRequest { Overlays = [overlay.Name], Force = force });

    /// <summary>Lists all overlays.</summary>
    public static async Task<IReadOnlyList<ImageEntry>> ListOverlaysAsync(this StoreFixture store) =>
        await (await store.StoreAsync()).ListOverlaysAsync(null);

    /// <summary>Lists the files of the overlay directory.</summary>
    public static IReadOnlyList<string> OverlayFiles(this StoreFixture store) =>
        Directory.Exists(store["overlays"])
            ? [.. Directory.EnumerateFiles(store["overlays"]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)]
            : [];
}
