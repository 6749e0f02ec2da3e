using Benji.Store.Model;

namespace Benji.Store.Transforms.Zstd;

/// <summary>Compresses with the system's library.</summary>
internal sealed unsafe class NativeZstdCompressor : IZstdCompressor
{
    private const int CompressionLevel = 100;
    private const int ContentSizeFlag = 200;
    private const int ChecksumFlag = 201;
    private const int DictionaryIdFlag = 202;

    private nint _context = NativeZstd.CreateCompressor();

    /// <summary>Makes a state for a level that exists.</summary>
    public NativeZstdCompressor(int level)
    {
        Invariant.Holds(_context != 0);
        Set(CompressionLevel, level);
        Set(ContentSizeFlag, 1);
        Set(ChecksumFlag, 0);
        Set(DictionaryIdFlag, 0);
    }

    /// <summary>Frees a state that nobody disposed.</summary>
    ~NativeZstdCompressor() => Free();

    /// <inheritdoc/>
    public bool TryCompress(ReadOnlySpan<byte> source, Span<byte> destination, out int written)
    {
        nuint result;
        fixed (byte* from = source)
        fixed (byte* to = destination)
        {
            result = NativeZstd.Compress(_context, to, (nuint)destination.Length, from, (nuint)source.Length);
        }

        var error = NativeZstd.ErrorOf(result);
        Invariant.Holds(error is 0 or NativeZstd.DestinationTooSmall);
        written = error == 0 ? checked((int)result) : 0;
        GC.KeepAlive(this);
        return error == 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Set(int parameter, int value) =>
        Invariant.Holds(NativeZstd.ErrorOf(NativeZstd.SetParameter(_context, parameter, value)) == 0);

    private void Free()
    {
        _ = NativeZstd.FreeCompressor(_context);
        _context = 0;
    }
}

/// <summary>Decompresses with the system's library.</summary>
internal sealed unsafe class NativeZstdDecompressor : IZstdDecompressor
{
    private nint _context = NativeZstd.CreateDecompressor();

    /// <summary>Frees a state that nobody disposed.</summary>
    ~NativeZstdDecompressor() => Free();

    /// <inheritdoc/>
    public string? Decompress(ReadOnlySpan<byte> source, Span<byte> destination, out int written)
    {
        Invariant.Holds(_context != 0);
        nuint result;
        fixed (byte* from = source)
        fixed (byte* to = destination)
        {
            result = NativeZstd.Decompress(_context, to, (nuint)destination.Length, from, (nuint)source.Length);
        }

        var error = NativeZstd.ErrorOf(result);
        written = error == 0 ? checked((int)result) : 0;
        GC.KeepAlive(this);
        return error == 0 ? null : $"zstd error {error}";
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        _ = NativeZstd.FreeDecompressor(_context);
        _context = 0;
    }
}
