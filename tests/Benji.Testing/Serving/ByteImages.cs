using Benji.Store.Images;
using Benji.Store.Model;

namespace Benji.Testing.Serving;

/// <summary>A directory of images in memory with the rules of the real one, for the tests of protocols.</summary>
public sealed class ByteImages : IImageDirectory
{
    private readonly Lock _imagesLock = new();
    private readonly List<Held> _images = [];
    private readonly DateTimeOffset _start = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private long _generation;
    private int _made;

    /// <summary>What goes wrong in all images.</summary>
    public ByteImageFaults Faults { get; } = new();

    /// <summary>By which changes of overlays are dated.</summary>
    public TimeProvider Clock { get; set; } = TimeProvider.System;

    /// <summary>What tells this store from others; null when it is gone.</summary>
    public string? StoreIdentity { get; set; } = "a store in memory";

    /// <summary>Images that are open.</summary>
    public int OpenCount
    {
        get
        {
            lock (_imagesLock)
            {
                return _images.Sum(image => image.Openings);
            }
        }
    }

    /// <summary>Adds a version; later ones are newer.</summary>
    public ImageEntry Add(string name, byte[] content, Func<VersionRecord, VersionRecord>? change = null)
    {
        var parsed = VersionName.TryParse(name, out var full) ? full : throw new ArgumentException(name);
        lock (_imagesLock)
        {
            var version = new VersionRecord
            {
                Id = Guid.NewGuid(),
                Name = parsed,
                Date = _start.AddSeconds(++_made),
                Size = content.Length,
                BlockSize = BlockGeometry.BlockSizeDefault,
                Storage = "main",
                Root = PageId.Hole,
                AllocatedBytes = content.Length,
            };
            var entry = new ImageEntry(change?.Invoke(version) ?? version);
            _images.Add(new Held(entry, Pinned(content), Pinned(content), []));
            _generation++;
            return entry;
        }
    }

    /// <summary>Removes a version; who has it open goes on reading.</summary>
    public void Remove(ImageEntry version)
    {
        lock (_imagesLock)
        {
            _images.RemoveAll(image => image.Entry.Id == version.Id);
            _generation++;
        }
    }

    /// <summary>The bytes of an image as they are now.</summary>
    public byte[] ContentOf(string name)
    {
        lock (_imagesLock)
        {
            return _images.First(image => image.Entry.Name == name).Content.ToArray();
        }
    }

    /// <inheritdoc/>
    public string? FindStoreIdentity() => StoreIdentity;

    /// <inheritdoc/>
    public long ReadGeneration()
    {
        lock (_imagesLock)
        {
            return _generation;
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<ImageEntry>> ListAsync(string? volume, CancellationToken cancellationToken)
    {
        lock (_imagesLock)
        {
            IReadOnlyList<ImageEntry> entries =
            [
                .. _images.Select(image => image.Entry)
                    .Where(entry => volume is null || entry.Version.Name.Volume == volume)
                    .OrderBy(entry => entry.Version.Name.Volume, StringComparer.Ordinal)
                    .ThenBy(entry => entry.Version.Date)
                    .ThenBy(entry => entry.Overlay?.Created ?? DateTimeOffset.MinValue),
            ];
            return Task.FromResult(entries);
        }
    }

    /// <inheritdoc/>
    public Task<ImageEntry?> FindAsync(string name, CancellationToken cancellationToken)
    {
        lock (_imagesLock)
        {
            var found = _images.Select(image => image.Entry).FirstOrDefault(entry => entry.Name == name);
            return Task.FromResult(found ?? _images.Select(image => image.Entry)
                .Where(entry => entry.Overlay is null && entry.Version.Status == VersionStatus.Valid
                    && name == $"{entry.Version.Name.Volume}/{VersionName.Latest}")
                .MaxBy(entry => entry.Version.Date));
        }
    }

    /// <inheritdoc/>
    public OverlayState? FindOverlayState(ImageEntry overlay)
    {
        const int unit = 4096;
        lock (_imagesLock)
        {
            return _images.FirstOrDefault(image => image.Entry.Id == overlay.Id) is { } found
                ? new OverlayState(found.Time.LastChange ?? overlay.Overlay!.Created, found.Dirty.Count * unit)
                : null;
        }
    }

    /// <inheritdoc/>
    public async Task<IImage> OpenVersionAsync(ImageEntry version, CancellationToken cancellationToken) =>
        await OpenAsync(version);

    /// <inheritdoc/>
    public async Task<IWritableImage> OpenOverlayAsync(ImageEntry overlay, CancellationToken cancellationToken) =>
        await OpenAsync(overlay);

    /// <inheritdoc/>
    public Task<ImageEntry> CreateOverlayAsync(
        ImageEntry version, string? name, CancellationToken cancellationToken)
    {
        lock (_imagesLock)
        {
            name ??= $"overlay-{++_made}";
            if (!Names.IsOverlay(name))
            {
                throw new UsageException($"Overlay name {Names.Show(name)} is not valid.");
            }

            var found = Find(version);
            if (_images.Any(image => image.Entry.Name == $"{version.Name}@{name}"))
            {
                throw new AlreadyExistsException($"There is an overlay {version.Name}@{name} already.");
            }

            var overlay = new OverlayEntry(Guid.NewGuid(), name, _start.AddSeconds(++_made), DirtyBytes: 0, Holder: null);
            var entry = new ImageEntry(version.Version, overlay);
            _images.Add(new Held(entry, Pinned(found.Content), found.Content, []));
            _generation++;
            return Task.FromResult(entry);
        }
    }

    /// <inheritdoc/>
    public Task DiscardOverlayAsync(ImageEntry overlay, CancellationToken cancellationToken)
    {
        lock (_imagesLock)
        {
            _images.Remove(FindClosed(overlay));
            _generation++;
            return Task.CompletedTask;
        }
    }

    /// <inheritdoc/>
    public Task<VersionRecord> PromoteAsync(ImageEntry overlay, CancellationToken cancellationToken)
    {
        lock (_imagesLock)
        {
            var found = FindClosed(overlay);
            _images.Remove(found);
            return Task.FromResult(
                Add($"{overlay.Version.Name.Volume}/promoted-{++_made}", found.Content).Version);
        }
    }

    /// <inheritdoc/>
    public Task<IExtentMap?> FindChangesAsync(IImage image, string since, CancellationToken cancellationToken)
    {
        const int unit = 4096;
        lock (_imagesLock)
        {
            var before = _images.FirstOrDefault(held => held.Entry.Name == since && held.Entry.Overlay is null)?.Content;
            var after = Find(image.Entry).Content;
            return Task.FromResult<IExtentMap?>(before is null ? null : new ByteExtents(image.Size, unit, offset =>
                !Slice(after, offset, unit).SequenceEqual(Slice(before, offset, unit))));
        }
    }

    private static Span<byte> Slice(byte[] bytes, long offset, int unit)
    {
        var start = Math.Min(bytes.Length, offset / unit * unit);
        return bytes.AsSpan((int)start, (int)Math.Min(unit, bytes.Length - start));
    }

    private static byte[] Pinned(byte[] content)
    {
        var pinned = GC.AllocateUninitializedArray<byte>(content.Length, pinned: true);
        content.CopyTo(pinned, 0);
        return pinned;
    }

    private async Task<ByteImage> OpenAsync(ImageEntry entry)
    {
        if (Faults.Opening is { } opening)
        {
            await opening();
        }

        lock (_imagesLock)
        {
            var found = Find(entry);
            found.Openings++;
            return new ByteImage(found.Entry, found.Content, found.Base, found.Dirty, () => Close(found))
            {
                Faults = Faults,
                Clock = Clock,
                Time = found.Time,
            };
        }
    }

    private void Close(Held image)
    {
        lock (_imagesLock)
        {
            image.Openings--;
        }
    }

    private Held Find(ImageEntry entry) => _images.FirstOrDefault(image => image.Entry.Id == entry.Id)
        ?? throw new NotFoundException($"There is no image {entry.Name}.");

    private Held FindClosed(ImageEntry entry)
    {
        var found = Find(entry);
        return found.Openings == 0 ? found : throw new InUseException($"{entry.Name} is open.");
    }

    private sealed record Held(ImageEntry Entry, byte[] Content, byte[] Base, HashSet<long> Dirty)
    {
        public int Openings { get; set; }

        public ByteImageTime Time { get; } = new();
    }
}
