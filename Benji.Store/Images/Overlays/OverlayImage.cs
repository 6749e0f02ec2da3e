namespace Benji.Store.Images.Overlays;

/// <summary>One opening of an overlay.</summary>
/// <param name="entry">What it is.</param>
/// <param name="core">What it shares with the other openings.</param>
/// <param name="close">Called once, when it was flushed or the flush failed; the last of all closes the core.</param>
internal sealed class OverlayImage(ImageEntry entry, OverlayCore core, Func<ValueTask> close) : IWritableImage
{
    /// <inheritdoc/>
    public ImageEntry Entry => entry;

    /// <inheritdoc/>
    public long Size => core.Base.Size;

    /// <inheritdoc/>
    public long DirtyBytes => core.DirtyBytes;

    /// <inheritdoc/>
    public long AllocatedBytes => core.AllocatedBytes;

    /// <inheritdoc/>
    public DateTimeOffset LastChange => core.LastChange;

    /// <inheritdoc/>
    public IExtentMap Allocation => core.Allocation;

    /// <inheritdoc/>
    public IExtentMap Damage => core.Damage;

    /// <summary>The opened base, for whoever compares it with other versions; it ends with this image.</summary>
    public IImage Base => core.Base;

    /// <summary>Makes the map of what differs from a version.</summary>
    /// <param name="baseChanges">What differs between the version and the base; null when the version is the base.</param>
    public IExtentMap ChangesOver(IExtentMap? baseChanges) => core.ChangesOver(baseChanges);

    /// <summary>Lists what the overlay holds itself, in order, in bounded memory.</summary>
    /// <exception cref="Model.CorruptDataException">A page of marks is damaged.</exception>
    /// <exception cref="Model.StorageException">The file cannot be read.</exception>
    public IEnumerable<DirtyRun> ListDirty() => core.ListDirty();

    /// <inheritdoc/>
    public bool TryRead(long offset, int length, ImagePieces pieces) => core.Reader.TryRead(offset, length, pieces);

    /// <inheritdoc/>
    public ValueTask ReadAsync(long offset, int length, ImagePieces pieces, CancellationToken cancellationToken) =>
        core.Reader.ReadAsync(offset, length, pieces, cancellationToken);

    /// <inheritdoc/>
    public ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken) =>
        core.Reader.PrefetchAsync(offset, length, cancellationToken);

    /// <inheritdoc/>
    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        core.CheckUsable();
        return core.Writer.WriteAsync(offset, data, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask ZeroAsync(long offset, long length, bool mayFreeSpace, CancellationToken cancellationToken)
    {
        core.CheckUsable();
        return core.Writer.ZeroAsync(offset, length, mayFreeSpace, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask RevertAsync(long offset, long length, CancellationToken cancellationToken)
    {
        core.CheckUsable();
        return core.Writer.RevertAsync(offset, length, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask FlushAsync(CancellationToken cancellationToken) => core.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await core.FlushAsync(CancellationToken.None);
        }
        finally
        {
            await close();
        }
    }
}
