using Benji.Store.Images;
using Benji.Store.Images.Overlays;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;

namespace Benji.Testing.Serving;

/// <summary>An overlay over bytes in memory, on any disk, opened and closed at will.</summary>
internal sealed class OverlayBench
{
    private readonly ByteImages _images = new();
    private readonly PiecePool _pool = new();
    private readonly ImageEntry _base;
    private readonly Func<IOverlayDisk> _openDisk;

    /// <summary>Takes bytes as the base.</summary>
    /// <param name="content">The base's bytes.</param>
    /// <param name="openDisk">Opens the disk of the overlay; the header was written to it.</param>
    public OverlayBench(byte[] content, Func<IOverlayDisk> openDisk)
    {
        _base = _images.Add("disk/one", content);
        _openDisk = openDisk;
        Header = NewHeader(_base.Version);
    }

    /// <summary>The header of the overlay.</summary>
    public OverlayHeader Header { get; }

    /// <summary>What goes wrong in the base.</summary>
    public ByteImageFaults Faults => _images.Faults;

    /// <summary>Bases that are open.</summary>
    public int OpenBases => _images.OpenCount;

    /// <summary>What the overlay is to its users.</summary>
    public ImageEntry Entry => _base with
    {
        Overlay = new OverlayEntry(Header.Id, Header.Name, Header.Created, DirtyBytes: 0, Holder: null),
    };

    /// <summary>Returns a header of an overlay of a version.</summary>
    public static OverlayHeader NewHeader(VersionRecord version) => new()
    {
        Id = Guid.NewGuid(),
        Name = "fix",
        Created = version.Date,
        BaseId = version.Id,
        BaseName = version.Name,
        BaseRoot = version.Root,
        StoreId = Guid.NewGuid(),
        Size = version.Size,
        BlockSize = version.BlockSize,
    };

    /// <summary>Opens the overlay as another process would.</summary>
    public async Task<OverlayCore> OpenCoreAsync(TimeProvider? time = null) =>
        (await OpenPartsAsync(time ?? TimeProvider.System)).Core;

    /// <summary>Opens the overlay as another process would; its file is the core's.</summary>
    public async Task<(OverlayCore Core, OverlayFile File)> OpenPartsAsync(
        TimeProvider time, CancellationToken lost = default)
    {
        var file = OverlayFile.Open(_openDisk());
        var baseImage = await _images.OpenVersionAsync(_base, CancellationToken.None);
        return (new OverlayCore(file, baseImage, _pool, time, lost: lost), file);
    }

    /// <summary>Opens the overlay alone; it is closed with the image.</summary>
    public async Task<OverlayImage> OpenAsync()
    {
        var core = await OpenCoreAsync();
        return new OverlayImage(Entry, core, core.DisposeAsync);
    }
}
