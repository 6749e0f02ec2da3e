using Benji.Store.Images;
using Benji.Store.Model;

namespace Benji.Mount.Session.Files;

/// <summary>What stat shows of an overlay that changes.</summary>
/// <param name="LastChange">When its content last changed, in whichever process.</param>
/// <param name="AllocatedBytes">Bytes that may be anything but zeros; 0 only where all are zeros, since programs that copy and
/// archive take it for that.</param>
internal readonly record struct OverlayFacts(DateTimeOffset LastChange, long AllocatedBytes)
{
    /// <summary>Those of an overlay that is open.</summary>
    /// <exception cref="BenjiException">Its file cannot be read.</exception>
    public static OverlayFacts Of(IWritableImage overlay) => new(overlay.LastChange, overlay.AllocatedBytes);

    /// <summary>Those of an overlay that is about to be closed.</summary>
    public static OverlayFacts Last(IWritableImage overlay)
    {
        try
        {
            return Of(overlay);
        }
        catch (BenjiException)
        {
            // It can be closed all the same, and whoever reads it next hears of it.
            return new OverlayFacts(overlay.LastChange, overlay.Size);
        }
    }

    /// <summary>Those of an overlay that is not open here: all of its base may show, and all that it takes may be data.</summary>
    /// <param name="overlay">The overlay.</param>
    /// <param name="state">What its file tells; null when it has none any more.</param>
    public static OverlayFacts Of(ImageEntry overlay, OverlayState? state) => new(
        state?.LastChange ?? overlay.Overlay!.Created,
        Math.Min(overlay.Size, overlay.Version.AllocatedBytes + (state?.TakenBytes ?? 0)));
}
