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
