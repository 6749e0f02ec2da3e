using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Store.Sources;

namespace Benji.Store.Operations.Overlays;

/// <summary>An overlay as what a new version is read from.</summary>
/// <param name="image">The overlay, which nobody writes to; not disposed with the source.</param>
internal sealed class OverlaySource(IImage image) : ISource
{
    // What one read of an image may ask for.
    private const int ReadMax = 64 * 1024 * 1024;

    /// <inheritdoc/>
    public string Description => $"overlay {image.Entry.Name}";

    /// <inheritdoc/>
    public long Size => image.Size;

    /// <inheritdoc/>
    /// <exception cref="DamagedImageException">The base is damaged where the overlay does not replace it.</exception>
    public async ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        Invariant.Holds(destination.Length <= ReadMax);
        using var pieces = new ImagePieces();
        try
        {
            if (!image.TryRead(offset, destination.Length, pieces))
            {
                await image.ReadAsync(offset, destination.Length, pieces, cancellationToken);
            }
        }
        catch (DamagedImageException fault)
        {
            throw new DamagedImageException(
                $"Overlay {image.Entry.Name} cannot be promoted: it replaces a block of {image.Entry.Version.Name} in part, and " +
                $"of the rest bytes from {fault.Offset} on are damaged: {fault.Message} Write or zero them in the overlay, then " +
                "promote it again.",
                fault.Offset,
                fault);
        }

        pieces.CopyTo(destination.Span);
    }

    /// <inheritdoc/>
    public Extent? FindData(long offset) =>
        offset < Size ? new Extent(offset, Size - offset, ExtentKind.Data) : null;

    /// <inheritdoc/>
    public void Release(long offset, long length)
    {
        // No cache holds what is in the overlay's file.
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
