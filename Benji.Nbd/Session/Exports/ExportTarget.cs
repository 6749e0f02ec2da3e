using Benji.Nbd.Protocol;
using Benji.Store.Images;
using Benji.Store.Model;

namespace Benji.Nbd.Session.Exports;

/// <summary>What the name of an export stands for at the moment, before it is opened.</summary>
/// <param name="Entry">The image; the base when the overlay is still to be made.</param>
/// <param name="NewOverlay">The overlay to make when the export is opened; null when the image is there.</param>
/// <param name="IsAlias">True for <c>volume/latest</c>, which another client may find to be another version.</param>
internal sealed record ExportTarget(ImageEntry Entry, string? NewOverlay, bool IsAlias)
{
    private const TransmissionFlags Always = TransmissionFlags.HasFlags | TransmissionFlags.SendFlush
        | TransmissionFlags.SendFua | TransmissionFlags.SendCache;

    private const TransmissionFlags Changing =
        TransmissionFlags.SendTrim | TransmissionFlags.SendWriteZeroes | TransmissionFlags.SendFastZero;

    /// <summary>The canonical name.</summary>
    public string Name => NewOverlay is null ? Entry.Name : $"{Entry.Name}@{NewOverlay}";

    /// <summary>True for an overlay, there or to be made.</summary>
    public bool IsOverlay => NewOverlay is not null || Entry.Overlay is not null;

    /// <summary>A line for a person.</summary>
    public string Description
    {
        get
        {
            var version = Entry.Version;
            var status = version.Status == VersionStatus.Valid ? "" : ", invalid";
            var overlay = Entry.Overlay is { } made ? $", overlay made {made.Created:u}" : "";
            return FormattableString.Invariant($"{version.Size} bytes as of {version.Date:u}{status}{overlay}");
        }
    }

    /// <summary>Which lengths are good: small ones are possible, whole blocks spare nothing more.</summary>
    public BlockSizeInfo BlockSizes
    {
        get
        {
            const int preferredMin = 4096;
            const int preferredMax = 4 * 1024 * 1024;
            var preferred = (uint)Math.Clamp(Entry.Version.BlockSize, preferredMin, preferredMax);
            return new BlockSizeInfo(1, preferred, NbdLimits.PayloadMax);
        }
    }

    /// <summary>Returns what a client may do.</summary>
    /// <param name="isReadOnly">True when the server changes nothing.</param>
    /// <param name="writable">What becomes of writes to a version.</param>
    /// <param name="isStructured">True when structured replies were negotiated.</param>
    public TransmissionFlags Flags(bool isReadOnly, WritableVersions writable, bool isStructured)
    {
        var isThrowAway = !IsOverlay && !isReadOnly && writable != WritableVersions.None;
        var flags = Always | (isStructured ? TransmissionFlags.SendDontFragment : TransmissionFlags.None);
        flags |= !isReadOnly && (IsOverlay || isThrowAway) ? Changing : TransmissionFlags.ReadOnly;
        return IsAlias || isThrowAway ? flags : flags | TransmissionFlags.CanMultiConn;
    }
}
