using Benji.Store.Model;

namespace Benji.Store.Images;

/// <summary>What a protocol needs of the store: its images by name, opened under leases, and overlays made and ended.</summary>
/// <remarks>Safe for concurrent calls. What other processes change is seen by the next call.</remarks>
public interface IImageDirectory
{
    /// <summary>Returns a text that tells this store from every other one on this host, a copy of it included, and is the same
    /// in every process that uses it.</summary>
    /// <returns>Null when nobody can tell, as the store is gone.</returns>
    /// <exception cref="StorageException">It could not be looked up.</exception>
    string? FindStoreIdentity();

    /// <summary>Returns a number that changes when the directory may have changed; cheap enough to ask several times a
    /// second.</summary>
    long ReadGeneration();

    /// <summary>Lists versions by volume, then date, each followed by its overlays.</summary>
    /// <param name="volume">Only this volume's; null for all.</param>
    /// <param name="cancellationToken">Stops the wait for the catalog.</param>
    Task<IReadOnlyList<ImageEntry>> ListAsync(string? volume, CancellationToken cancellationToken);

    /// <summary>Finds an image by its exact name: <c>volume/version</c>, <c>volume/version@overlay</c>, or
    /// <c>volume/latest</c> for the newest valid version. Any text is a legal name to ask for.</summary>
    /// <returns>Null when there is none.</returns>
    Task<ImageEntry?> FindAsync(string name, CancellationToken cancellationToken);

    /// <summary>Looks at an overlay that may be open in any process; touches nothing but the host's own disk.</summary>
    /// <returns>Null when it is gone.</returns>
    /// <exception cref="StorageException">It could not be looked at.</exception>
    OverlayState? FindOverlayState(ImageEntry overlay);

    /// <summary>Opens a version. It stays readable until it is disposed, also when it is removed meanwhile.</summary>
    /// <exception cref="NotFoundException">It is gone.</exception>
    Task<IImage> OpenVersionAsync(ImageEntry version, CancellationToken cancellationToken);

    /// <summary>Opens an overlay; one process has it open at a time, any number of times.</summary>
    /// <exception cref="NotFoundException">It is gone.</exception>
    /// <exception cref="InUseException">Another process has it open, or it is being promoted.</exception>
    Task<IWritableImage> OpenOverlayAsync(ImageEntry overlay, CancellationToken cancellationToken);

    /// <summary>Makes an empty overlay, durable when this returns; its base cannot be removed while it stands.</summary>
    /// <param name="version">The base.</param>
    /// <param name="name">Its name; null for a new one after the time.</param>
    /// <param name="cancellationToken">Stops before it is made.</param>
    /// <exception cref="NotFoundException">The base is gone.</exception>
    /// <exception cref="AlreadyExistsException">The base has an overlay of that name.</exception>
    /// <exception cref="UsageException">The name is not valid.</exception>
    Task<ImageEntry> CreateOverlayAsync(ImageEntry version, string? name, CancellationToken cancellationToken);

    /// <summary>Discards an overlay with all that was written to it.</summary>
    /// <exception cref="NotFoundException">It is gone.</exception>
    /// <exception cref="InUseException">It is open.</exception>
    Task DiscardOverlayAsync(ImageEntry overlay, CancellationToken cancellationToken);

    /// <summary>Makes an overlay that nobody has open a new version of its volume, and discards it.</summary>
    /// <param name="overlay">The overlay.</param>
    /// <param name="cancellationToken">Stops it; the overlay is then as it was.</param>
    /// <returns>The new version.</returns>
    /// <exception cref="NotFoundException">It is gone.</exception>
    /// <exception cref="InUseException">It is open, or the volume is being backed up.</exception>
    Task<VersionRecord> PromoteAsync(ImageEntry overlay, CancellationToken cancellationToken);

    /// <summary>Opens the map of what differs in an image from an older or newer version of the same block size; exact
    /// to the frame, in what an overlay holds to 4 KiB.</summary>
    /// <param name="image">The image.</param>
    /// <param name="since">The exact full name of the version to compare with.</param>
    /// <param name="cancellationToken">Stops the wait for the catalog.</param>
    /// <returns>Null when there is no such version or it cannot be compared. Used no longer than the image.</returns>
    Task<IExtentMap?> FindChangesAsync(IImage image, string since, CancellationToken cancellationToken);
}
