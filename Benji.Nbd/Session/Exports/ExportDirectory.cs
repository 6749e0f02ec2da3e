using Benji.Nbd.Protocol;
using Benji.Store.Images;
using Benji.Store.Model;
using Microsoft.Extensions.Logging;

namespace Benji.Nbd.Session.Exports;

/// <summary>The exports of a server: finds them by name, lists them, opens them.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
/// <param name="images">The images.</param>
/// <param name="options">What clients may do.</param>
/// <param name="logger">Receives what happens to overlays.</param>
internal sealed class ExportDirectory(IImageDirectory images, NbdServerOptions options, ILogger logger)
{
    /// <summary>Exports that a list holds at most.</summary>
    public const int ListMax = 10_000;

    /// <summary>Versions to compare with that are offered at most; others can be named all the same.</summary>
    public const int ChangesListMax = 1000;

    /// <summary>Finds what a name stands for; creates nothing.</summary>
    /// <param name="name">Any text.</param>
    /// <param name="mayCreate">True to accept a name of an overlay that is still to be made.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>Null when there is no such export.</returns>
    public async Task<ExportTarget?> FindAsync(string name, bool mayCreate, CancellationToken cancellationToken)
    {
        name = name.Length == 0 ? options.DefaultExport ?? name : name;
        if (await images.FindAsync(name, cancellationToken) is { } entry)
        {
            return new ExportTarget(entry, NewOverlay: null, IsAlias: entry.Name != name);
        }

        var at = name.LastIndexOf('@');
        if (at >= 0 && await FindOnLatestAsync(name[..at], name[(at + 1)..], cancellationToken) is { } overlay)
        {
            return new ExportTarget(overlay, NewOverlay: null, IsAlias: true);
        }

        if (at < 0 || !mayCreate || options.ReadOnly || !Names.IsOverlay(name[(at + 1)..]))
        {
            return null;
        }

        // Never on volume/latest: the same name would be another disk after the next backup.
        var version = await images.FindAsync(name[..at], cancellationToken);
        return version is { Overlay: null } && version.Name == name[..at]
            ? new ExportTarget(version, name[(at + 1)..], IsAlias: false)
            : null;
    }

    /// <summary>Returns what a client may do with an export.</summary>
    public TransmissionFlags FlagsOf(ExportTarget target, bool isStructured) =>
        target.Flags(options.ReadOnly, options.Writable, isStructured);

    /// <summary>Opens an export, making its overlay if need be.</summary>
    /// <param name="target">What was found.</param>
    /// <param name="contexts">The chosen contexts in the order of their numbers.</param>
    /// <param name="client">For the log.</param>
    /// <param name="cancellationToken">Ends it; nothing is open then.</param>
    /// <exception cref="BenjiException">It cannot be opened; NotFoundException when it is gone meanwhile.</exception>
    public async Task<Export> OpenAsync(
        ExportTarget target, IReadOnlyList<MetadataContext> contexts, string client, CancellationToken cancellationToken)
    {
        var entry = target.NewOverlay is null ? target.Entry : await MakeAsync(target, client, cancellationToken);
        IImage image = entry.Overlay is null
            ? await images.OpenVersionAsync(entry, cancellationToken)
            : await images.OpenOverlayAsync(entry, cancellationToken);
        var mode = options.ReadOnly ? WritableVersions.None : options.Writable;
        var export = new Export(images, image, contexts, mode, new ExportOwner(client, logger));
        try
        {
            await export.OpenMapsAsync(cancellationToken);
            return export;
        }
        catch
        {
            await export.EndAsync(isClean: false);
            throw;
        }
    }

    /// <summary>Lists all exports: per volume <c>volume/latest</c>, then its versions from the newest, each with its
    /// overlays. When there are too many, the oldest versions of all volumes are left out.</summary>
    public async Task<IReadOnlyList<ListedExport>> ListAsync(CancellationToken cancellationToken)
    {
        var entries = await images.ListAsync(volume: null, cancellationToken);
        var volumes = entries
            .GroupBy(entry => entry.Version.Name.Volume)
            .Select(volume => Newest(volume.Key, volume))
            .ToList();
        var rest = ListMax;
        var share = volumes.Count == 0 ? 0 : Math.Max(1, ListMax / volumes.Count);
        while (volumes.Sum(volume => Math.Min(volume.Count, share + 1L)) <= rest
            && volumes.Exists(volume => volume.Count > share))
        {
            share++;
        }

        return [.. volumes.SelectMany(volume => volume.Take(share)).Take(rest)];
    }

    /// <summary>Lists the contexts that an export has, newest versions first.</summary>
    public async Task<IReadOnlyList<MetadataContext>> ListContextsAsync(
        ExportTarget target, CancellationToken cancellationToken)
    {
        var version = target.Entry.Version;
        var others = await images.ListAsync(version.Name.Volume, cancellationToken);
        return
        [
            new MetadataContext(ContextKind.Allocation),
            new MetadataContext(ContextKind.Damage),
            .. others
                .Where(other => other.Overlay is null && other.Version.BlockSize == version.BlockSize)
                .Where(other => target.IsOverlay || other.Id != version.Id)
                .OrderByDescending(other => other.Version.Date)
                .Take(ChangesListMax)
                .Select(other => new MetadataContext(ContextKind.Changes, other.Name)),
        ];
    }

    /// <summary>Tells whether an export has a context.</summary>
    /// <exception cref="BenjiException">The image could not be opened to find out.</exception>
    public async Task<bool> HasContextAsync(
        ExportTarget target, MetadataContext context, CancellationToken cancellationToken)
    {
        if (context.Kind != ContextKind.Changes)
        {
            return true;
        }

        // Of an overlay that is still to be made, the base has the same changes.
        await using IImage image = target.Entry.Overlay is null
            ? await images.OpenVersionAsync(target.Entry, cancellationToken)
            : await images.OpenOverlayAsync(target.Entry, cancellationToken);
        return await images.FindChangesAsync(image, context.Since, cancellationToken) is not null;
    }

    private async Task<ImageEntry?> FindOnLatestAsync(string version, string overlay, CancellationToken cancellationToken) =>
        version.EndsWith($"/{VersionName.Latest}", StringComparison.Ordinal)
        && await images.FindAsync(version, cancellationToken) is { } latest
            ? await images.FindAsync($"{latest.Name}@{overlay}", cancellationToken)
            : null;

    private static List<ListedExport> Newest(string volume, IEnumerable<ImageEntry> entries)
    {
        var listed = new List<ListedExport>();
        var targets = entries.Select(entry => new ExportTarget(entry, NewOverlay: null, IsAlias: false)).ToList();
        var latest = targets.LastOrDefault(target => !target.IsOverlay && target.Entry.Version.Status == VersionStatus.Valid);
        if (latest is not null)
        {
            listed.Add(new ListedExport($"{volume}/{VersionName.Latest}", $"{latest.Name}: {latest.Description}"));
        }

        listed.AddRange(targets
            .OrderByDescending(target => target.Entry.Version.Date)
            .Select(target => new ListedExport(target.Name, target.Description)));
        return listed;
    }

    // Two clients may open it at once: the one that comes second finds what the first has made.
    private async Task<ImageEntry> MakeAsync(ExportTarget target, string client, CancellationToken cancellationToken)
    {
        try
        {
            var made = await images.CreateOverlayAsync(target.Entry, target.NewOverlay, cancellationToken);
            Log.OverlayCreated(logger, made.Name, client);
            return made;
        }
        catch (AlreadyExistsException)
        {
            return await images.FindAsync(target.Name, cancellationToken)
                ?? throw new NotFoundException($"The overlay {target.Name} was made and discarded meanwhile.");
        }
    }
}
