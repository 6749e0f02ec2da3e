namespace Benji.Store.Catalogs.LiteDb.Disk;

/// <summary>The two files of a catalog, opened afresh; a simulated disk can stand in for them.</summary>
/// <remarks>Used under the catalog's lock, by one thread at a time.</remarks>
internal interface ICatalogDisk : IDisposable
{
    /// <summary>The database's pages as they were when the log was last applied.</summary>
    ICatalogFile Data { get; }

    /// <summary>The groups of pages committed since then.</summary>
    ICatalogFile Log { get; }

    /// <summary>The room that is kept beside them.</summary>
    ICatalogRoom Room { get; }

    /// <summary>False when the files' names lead to other files by now, or to none.</summary>
    /// <exception cref="IOException">It cannot be told.</exception>
    bool IsCurrent();

    /// <summary>Makes the names of both files durable; called once, before the first commit of a new catalog.</summary>
    /// <exception cref="IOException">The directory cannot be synced.</exception>
    void SyncDirectory();
}

/// <summary>One file of a catalog: what is written is durable only after a sync.</summary>
internal interface ICatalogFile
{
    /// <summary>Bytes in the file, unsynced ones included.</summary>
    long Length { get; }

    /// <summary>Reads from <paramref name="offset"/>.</summary>
    /// <returns>Bytes read: all that were asked for, or fewer at the end of the file.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    int Read(long offset, Span<byte> destination);

    /// <summary>Writes all of <paramref name="source"/> at <paramref name="offset"/>; the file grows as needed.</summary>
    /// <exception cref="IOException">Some of it was not written, as on a full disk.</exception>
    void Write(long offset, ReadOnlySpan<byte> source);

    /// <summary>Cuts the file to <paramref name="length"/> bytes.</summary>
    /// <exception cref="IOException">The file cannot be cut.</exception>
    void Truncate(long length);

    /// <summary>Makes everything written and cut so far durable.</summary>
    /// <exception cref="IOException">What of it is durable is unknown.</exception>
    void Sync();
}

/// <summary>Room on the disk that a file beside the catalog takes, so that nobody else does.</summary>
internal interface ICatalogRoom
{
    /// <summary>Bytes to keep: a share of the file system. 0 when it cannot be told.</summary>
    long Wanted { get; }

    /// <summary>Bytes kept.</summary>
    /// <exception cref="IOException">It cannot be told.</exception>
    long Kept { get; }

    /// <summary>Takes room until <paramref name="bytes"/> are kept.</summary>
    /// <returns>False when there is not so much; then as many are kept as before.</returns>
    bool TryKeep(long bytes);

    /// <summary>Gives room back until only <paramref name="bytes"/> are kept.</summary>
    /// <exception cref="IOException">It cannot be given back.</exception>
    void Cut(long bytes);
}
