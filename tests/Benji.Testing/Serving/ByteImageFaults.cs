using Benji.Store.Model;

namespace Benji.Testing.Serving;

/// <summary>What goes wrong in the images of one directory; set by a test at any time.</summary>
public sealed class ByteImageFaults
{
    /// <summary>Bytes that cannot be read; empty for none.</summary>
    public (long Offset, long Length) Damaged { get; set; }

    /// <summary>True when every write and flush finds the disk full.</summary>
    public bool IsFull { get; set; }

    /// <summary>Called before each read that waits; while it is set no read is at hand. May block or throw.</summary>
    public Func<long, CancellationToken, ValueTask>? Reading { get; set; }

    /// <summary>Called before each write, whose bytes are taken when it is done. May block or throw.</summary>
    public Func<long, CancellationToken, ValueTask>? Writing { get; set; }

    /// <summary>Called before each zeroing, with its range and whether space may be freed.</summary>
    public Action<long, long, bool>? Zeroing { get; set; }

    /// <summary>Called before each opening. May wait.</summary>
    public Func<Task>? Opening { get; set; }

    /// <summary>Called before each closing, with the image's name. May wait or throw; the image is closed all the same.
    /// </summary>
    public Func<string, Task>? Closing { get; set; }

    /// <summary>Called before each flush. May throw.</summary>
    public Action? Flushing { get; set; }

    internal bool IsDamaged(long offset, long length = 1) => FirstDamaged(offset, length) is not null;

    internal long? FirstDamaged(long offset, long length)
    {
        var first = Math.Max(offset, Damaged.Offset);
        return first < Math.Min(offset + length, Damaged.Offset + Damaged.Length) ? first : null;
    }

    internal void CheckSpace()
    {
        if (IsFull)
        {
            throw new NoSpaceException("The disk under the overlay is full, as told.");
        }
    }
}
