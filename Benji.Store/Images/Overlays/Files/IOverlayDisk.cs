namespace Benji.Store.Images.Overlays.Files;

/// <summary>The file of one overlay: what is written is durable only after a sync; a simulated disk can stand in for
/// it.</summary>
/// <remarks>Synchronous; safe for concurrent calls.</remarks>
internal interface IOverlayDisk : IDisposable
{
    /// <summary>The file, for messages.</summary>
    string Path { get; }

    /// <summary>Bytes in the file, holes included.</summary>
    long Length { get; }

    /// <summary>When the file was last written, UTC, or what was set since.</summary>
    /// <exception cref="IOException">The file cannot be looked up.</exception>
    DateTimeOffset Modified { get; }

    /// <summary>Sets <see cref="Modified"/>, until the next write.</summary>
    /// <exception cref="IOException">The file failed.</exception>
    void SetModified(DateTimeOffset time);

    /// <summary>Reads from <paramref name="offset"/>; holes are zeros.</summary>
    /// <returns>Bytes read: all that were asked for, or fewer at the end of the file.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    int Read(long offset, Span<byte> destination);

    /// <summary>Writes all of <paramref name="source"/> inside the file.</summary>
    /// <exception cref="IOException">Some of it was not written, as on a full disk.</exception>
    void Write(long offset, ReadOnlySpan<byte> source);

    /// <summary>Takes space for a range whose bytes stay as they are, so that a later write to it finds room.</summary>
    /// <returns>False when the file system cannot; nothing was changed.</returns>
    /// <exception cref="IOException">There is no space, or the file failed.</exception>
    bool Reserve(long offset, long length);

    /// <summary>Gives the space of a range back; its bytes are zeros, or stay as they are where the file system cannot.</summary>
    /// <exception cref="IOException">The file failed.</exception>
    void Punch(long offset, long length);

    /// <summary>Finds the first run of written bytes at or behind <paramref name="offset"/>.</summary>
    /// <returns>The run, possibly longer than what was written, or null when only holes follow.</returns>
    /// <exception cref="IOException">The file failed.</exception>
    (long Start, long End)? FindData(long offset);

    /// <summary>Makes everything written so far durable.</summary>
    /// <exception cref="IOException">What of it is durable is unknown.</exception>
    void Sync();
}

/// <summary>Takes space in the file of an overlay.</summary>
internal static class OverlaySpace
{
    /// <summary>Takes the space of a range that is, or is to be, zeros or of no meaning, so that a later write to it finds
    /// room.</summary>
    /// <exception cref="IOException">There is no space, or the file failed.</exception>
    public static void Take(IOverlayDisk disk, long offset, long length)
    {
        if (disk.Reserve(offset, length))
        {
            return;
        }

        // Where the file system cannot reserve, zeros take the space.
        var zeros = ImagePieces.Zeros.Span;
        for (var end = offset + length; offset < end; offset += zeros.Length)
        {
            disk.Write(offset, zeros[..(int)Math.Min(zeros.Length, end - offset)]);
        }
    }
}
