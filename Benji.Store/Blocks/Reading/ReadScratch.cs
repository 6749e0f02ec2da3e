using Benji.Store.Model;

namespace Benji.Store.Blocks.Reading;

/// <summary>The memory of one read under way: stored bytes before they are opened, and the hashes of the plaintext.</summary>
/// <remarks>For one read at a time. What a small read needs is kept for the next one; a large one lends from the pool.</remarks>
internal sealed class ReadScratch(BlockBufferPool pool) : IDisposable
{
    private const int KeptLength = 128 * 1024;

    private readonly BlockBuffer _kept = pool.Rent(KeptLength);
    private BlockBuffer? _large;
    private byte[] _hashes = new byte[64 * Hash256.Size];

    /// <summary>Returns room for stored bytes; what was returned before is then no longer valid.</summary>
    public Memory<byte> Stored(int length)
    {
        Release();
        if (length <= KeptLength)
        {
            return _kept.Memory[..length];
        }

        _large = pool.Rent(length);
        return _large.Memory;
    }

    /// <summary>Returns room for the hashes of so many frames.</summary>
    public Span<byte> Hashes(int frameCount)
    {
        if (_hashes.Length < frameCount * Hash256.Size)
        {
            _hashes = new byte[frameCount * Hash256.Size];
        }

        return _hashes.AsSpan(0, frameCount * Hash256.Size);
    }

    /// <summary>Gives memory back that only a large read needed.</summary>
    public void Release()
    {
        _large?.Dispose();
        _large = null;
    }

    /// <summary>Gives all memory back.</summary>
    public void Dispose()
    {
        Release();
        _kept.Dispose();
    }
}
