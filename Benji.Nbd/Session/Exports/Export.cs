using Benji.Store.Images;
using Benji.Store.Model;
using Microsoft.Extensions.Logging;

namespace Benji.Nbd.Session.Exports;

/// <summary>Whom an export was opened for, and where to tell of it.</summary>
internal sealed record ExportOwner(string Client, ILogger Logger);

/// <summary>One opening of an image by one client; the first write to a version gives it a throw-away overlay.</summary>
/// <remarks>Safe for concurrent calls until <see cref="EndAsync"/>, which comes once and last.</remarks>
internal sealed class Export
{
    private readonly IImageDirectory _images;
    private readonly IImage _opened;
    private readonly WritableVersions _mode;
    private readonly ExportOwner _owner;
    private readonly Lock _makingLock = new();
    private readonly IReadOnlyList<MetadataContext> _contexts;
    private volatile Serving _serving;
    private volatile string? _refused;
    private Task<IWritableImage>? _making;

    /// <summary>Takes over an open image.</summary>
    /// <param name="images">Where throw-away overlays are made.</param>
    /// <param name="image">The image; disposed at the end.</param>
    /// <param name="contexts">The chosen contexts.</param>
    /// <param name="mode">What becomes of writes when the image is a version.</param>
    /// <param name="owner">Whom it is for.</param>
    public Export(
        IImageDirectory images,
        IImage image,
        IReadOnlyList<MetadataContext> contexts,
        WritableVersions mode,
        ExportOwner owner)
    {
        (_images, _opened, _contexts, _mode, _owner) = (images, image, contexts, mode, owner);
        _serving = new Serving(image, image.Entry.Overlay is null ? null : (IWritableImage)image, []);
    }

    /// <summary>The image that reads go to now.</summary>
    public IImage Image => _serving.Image;

    /// <summary>The name of what was opened.</summary>
    public string Name => _opened.Entry.Name;

    /// <summary>Bytes in the image.</summary>
    public long Size => _opened.Size;

    /// <summary>The map of each chosen context, with its kind, in the order of their numbers.</summary>
    public IReadOnlyList<(ContextKind Kind, IExtentMap Map)> Maps => _serving.Maps;

    /// <summary>Opens the maps of the chosen contexts; comes before the first use.</summary>
    /// <exception cref="NotFoundException">A version to compare with is gone.</exception>
    public async Task OpenMapsAsync(CancellationToken cancellationToken)
    {
        var serving = _serving;
        _serving = serving with { Maps = await MapsOfAsync(serving.Image, cancellationToken) };
    }

    /// <summary>Returns the image that writes go to, after making it if need be.</summary>
    /// <exception cref="BenjiException">It could not be made.</exception>
    public ValueTask<IWritableImage> OpenForWritingAsync(CancellationToken cancellationToken) =>
        _serving.Writable is { } writable ? new ValueTask<IWritableImage>(writable) : MakeOnceAsync(cancellationToken);

    /// <summary>Makes completed writes durable.</summary>
    /// <exception cref="BenjiException">The disk under the overlay is full or failed.</exception>
    public ValueTask FlushAsync(CancellationToken cancellationToken) =>
        _serving.Writable is { } writable ? writable.FlushAsync(cancellationToken) : default;

    /// <summary>Notes that the client was told of a change, or of a flush, that it failed: what the overlay holds then is not
    /// what the client meant, so that it never becomes a version by itself. The first one counts.</summary>
    /// <param name="request">Which request it was, for the log.</param>
    public void NoteRefused(string request) => _refused ??= request;

    /// <summary>Flushes and closes, and decides what becomes of a throw-away overlay.</summary>
    /// <param name="isClean">True when the client said goodbye.</param>
    public async Task EndAsync(bool isClean)
    {
        if (_making is { } making)
        {
            // A write that gave up waiting for it leaves it behind; it fails to nobody.
            await making.ContinueWith(_ => { }, TaskScheduler.Default);
        }

        var serving = _serving;
        var trouble = await CloseAsync(serving);
        if (serving.Image == _opened)
        {
            if (trouble is not null)
            {
                Log.ClientFailed(_owner.Logger, _owner.Client, trouble);
            }

            return;
        }

        var overlay = serving.Image.Entry;
        try
        {
            if (_mode == WritableVersions.Discard)
            {
                await _images.DiscardOverlayAsync(overlay, CancellationToken.None);
                Log.OverlayDiscarded(_owner.Logger, overlay.Name);
            }
            else if ((trouble ?? WhyNotWhole(isClean)) is { } reason)
            {
                Log.OverlayKept(_owner.Logger, overlay.Name, reason);
            }
            else
            {
                var version = await _images.PromoteAsync(overlay, CancellationToken.None);
                Log.OverlayPromoted(_owner.Logger, overlay.Name, version.Name.ToString());
            }
        }
        catch (BenjiException cause)
        {
            Log.OverlayKept(_owner.Logger, overlay.Name, cause.Message);
        }
    }

    private string? WhyNotWhole(bool isClean) => _refused is { } request
        ? $"{request} of client {_owner.Client} failed, so that it may lack what the client meant to write"
        : isClean ? null : $"client {_owner.Client} did not disconnect in order";

    // Both are closed whatever happens to either; the first trouble is told.
    private async Task<string?> CloseAsync(Serving serving)
    {
        string? trouble = null;
        try
        {
            await FlushAsync(CancellationToken.None);
        }
        catch (BenjiException cause)
        {
            trouble = cause.Message;
        }

        foreach (var image in serving.Image == _opened ? [_opened] : new[] { serving.Image, _opened })
        {
            try
            {
                await image.DisposeAsync();
            }
            catch (BenjiException cause)
            {
                trouble ??= cause.Message;
            }
        }

        return trouble;
    }

    // The first write makes the overlay and the others wait for it; when that fails, the next write tries again.
    private async ValueTask<IWritableImage> MakeOnceAsync(CancellationToken cancellationToken)
    {
        Task<IWritableImage> making;
        lock (_makingLock)
        {
            making = _making is null or { IsFaulted: true } ? _making = MakeOverlayAsync() : _making;
        }

        return await making.WaitAsync(cancellationToken);
    }

    private async Task<IWritableImage> MakeOverlayAsync()
    {
        if (_mode == WritableVersions.None)
        {
            throw new NotAllowedException($"{Name} is read-only.");
        }

        var entry = await _images.CreateOverlayAsync(_opened.Entry, name: null, CancellationToken.None);
        Log.OverlayCreated(_owner.Logger, entry.Name, _owner.Client);
        var overlay = await _images.OpenOverlayAsync(entry, CancellationToken.None);
        try
        {
            _serving = new Serving(overlay, overlay, await MapsOfAsync(overlay, CancellationToken.None));
            return overlay;
        }
        catch
        {
            await overlay.DisposeAsync();
            throw;
        }
    }

    private async Task<IReadOnlyList<(ContextKind Kind, IExtentMap Map)>> MapsOfAsync(
        IImage image, CancellationToken cancellationToken)
    {
        var maps = new List<(ContextKind, IExtentMap)>();
        foreach (var context in _contexts)
        {
            maps.Add((context.Kind, context.Kind switch
            {
                ContextKind.Allocation => image.Allocation,
                ContextKind.Damage => image.Damage,
                _ => await _images.FindChangesAsync(image, context.Since, cancellationToken)
                    ?? throw new NotFoundException($"{context.Since} cannot be compared with {Name} any more."),
            }));
        }

        return maps;
    }

    private sealed record Serving(
        IImage Image, IWritableImage? Writable, IReadOnlyList<(ContextKind Kind, IExtentMap Map)> Maps);
}
