using Benji.Store.Catalogs.LiteDb.Disk;

namespace Benji.Store.Catalogs.LiteDb.Reading;

/// <summary>The files of a catalog of which nothing is changed: a tail of the log that was cut is only not seen any more.</summary>
/// <param name="inner">The files; they stay the caller's.</param>
internal sealed class KeptDisk(ICatalogDisk inner) : ICatalogDisk
{
    /// <inheritdoc/>
    public ICatalogFile Data { get; } = new KeptFile(inner.Data);

    /// <inheritdoc/>
    public ICatalogFile Log { get; } = new KeptFile(inner.Log);

    /// <inheritdoc/>
    public ICatalogRoom Room => inner.Room;

    /// <inheritdoc/>
    public bool IsCurrent() => inner.IsCurrent();

    /// <inheritdoc/>
    public void SyncDirectory()
    {
        // There is nothing new in it.
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The files are the caller's.
    }

    private sealed class KeptFile(ICatalogFile inner) : ICatalogFile
    {
        private long _cut = long.MaxValue;

        public long Length => Math.Min(inner.Length, _cut);

        public int Read(long offset, Span<byte> destination) =>
            inner.Read(offset, destination[..(int)Math.Clamp(_cut - offset, 0, destination.Length)]);

        public void Write(long offset, ReadOnlySpan<byte> source) =>
            throw new NotSupportedException("A catalog that is only read is not written.");

        public void Truncate(long length) => _cut = length;

        public void Sync()
        {
            // Nothing was written.
        }
    }
}
