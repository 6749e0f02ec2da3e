namespace Benji.Store.Transforms.Zstd;

/// <summary>One reusable state of a zstd implementation, for one thread at a time.</summary>
internal interface IZstdCompressor : IDisposable
{
    /// <summary>Compresses <paramref name="source"/> to one frame that states its content size, without checksum.</summary>
    /// <returns>False when it does not fit into <paramref name="destination"/>.</returns>
    bool TryCompress(ReadOnlySpan<byte> source, Span<byte> destination, out int written);
}

/// <summary>One reusable state of a zstd implementation, for one thread at a time.</summary>
internal interface IZstdDecompressor : IDisposable
{
    /// <summary>Decompresses one frame, whose header the caller has checked, into a destination of its content size.</summary>
    /// <returns>Null and the bytes written, or what is wrong with the frame.</returns>
    string? Decompress(ReadOnlySpan<byte> source, Span<byte> destination, out int written);
}
