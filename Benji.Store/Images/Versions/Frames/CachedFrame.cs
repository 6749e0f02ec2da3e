namespace Benji.Store.Images.Versions.Frames;

/// <summary>The plaintext of one frame in memory that does not move, lent to whoever holds a pin on it.</summary>
/// <remarks>While it is pinned its content does not change; without pins the cache may use it for another frame.</remarks>
/// <param name="bytes">Its room, pinned or native.</param>
internal sealed class CachedFrame(Memory<byte> bytes) : IPieceOwner
{
    private int _pins;

    /// <summary>Which frame it holds; set by the cache while nobody has a pin.</summary>
    public FrameKey Key { get; private set; }

    /// <summary>The plaintext.</summary>
    public ReadOnlyMemory<byte> Memory { get; private set; }

    /// <summary>True when it was used since the cache last looked; the cache's own mark.</summary>
    public bool IsRecent { get; set; }

    /// <summary>True while somebody reads from it.</summary>
    public bool IsPinned => Volatile.Read(ref _pins) > 0;

    /// <summary>Adds a pin: by the cache under its lock, or by whoever holds another pin.</summary>
    public void Pin() => Interlocked.Increment(ref _pins);

    /// <inheritdoc/>
    public void Release() => Interlocked.Decrement(ref _pins);

    /// <summary>Takes another frame; nobody has a pin.</summary>
    public void Fill(FrameKey key, ReadOnlySpan<byte> plaintext)
    {
        Key = key;
        plaintext.CopyTo(bytes.Span);
        Memory = bytes[..plaintext.Length];
    }
}
