using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Benji.Store.Transforms.Zstd;

/// <summary>Compresses with the managed port, which is always there.</summary>
internal sealed class ManagedZstdCompressor : IZstdCompressor
{
    private readonly Compressor _compressor;

    /// <summary>Makes a state for a level that exists.</summary>
    public ManagedZstdCompressor(int level)
    {
        _compressor = new Compressor(level);
        _compressor.SetParameter(ZSTD_cParameter.ZSTD_c_contentSizeFlag, 1);
        _compressor.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 0);
        _compressor.SetParameter(ZSTD_cParameter.ZSTD_c_dictIDFlag, 0);
    }

    /// <inheritdoc/>
    public bool TryCompress(ReadOnlySpan<byte> source, Span<byte> destination, out int written) =>
        _compressor.TryWrap(source, destination, out written);

    /// <inheritdoc/>
    public void Dispose() => _compressor.Dispose();
}

/// <summary>Decompresses with the managed port.</summary>
internal sealed class ManagedZstdDecompressor : IZstdDecompressor
{
    private readonly Decompressor _decompressor = new();

    /// <inheritdoc/>
    public string? Decompress(ReadOnlySpan<byte> source, Span<byte> destination, out int written)
    {
        written = 0;
        try
        {
            written = _decompressor.Unwrap(source, destination);
            return null;
        }
        catch (ZstdException failure)
        {
            return failure.Message;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _decompressor.Dispose();
}
