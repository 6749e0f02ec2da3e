using System.Runtime.InteropServices;

namespace Benji.Store.Transforms.Zstd;

/// <summary>The calls of the system's libzstd, where there is one: faster than the managed port, and warm from its first call.</summary>
/// <remarks>Source: zstd.h of 1.4.0, from which on these calls are stable.</remarks>
internal static unsafe partial class NativeZstd
{
    /// <summary>The error of a destination that is too small.</summary>
    public const int DestinationTooSmall = 70;

    private const string Library = "libzstd.so.1";
    private const uint VersionMin = 10400;

    /// <summary>True when the library is there and new enough.</summary>
    public static bool IsAvailable { get; } = Probe();

    /// <summary>Returns the number of an error, or 0 when <paramref name="result"/> is a length.</summary>
    public static int ErrorOf(nuint result) => IsError(result) != 0 ? (int)unchecked(0 - (nint)result) : 0;

    [LibraryImport(Library, EntryPoint = "ZSTD_createCCtx")]
    internal static partial nint CreateCompressor();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeCCtx")]
    internal static partial nuint FreeCompressor(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_CCtx_setParameter")]
    internal static partial nuint SetParameter(nint context, int parameter, int value);

    [LibraryImport(Library, EntryPoint = "ZSTD_compress2")]
    internal static partial nuint Compress(
        nint context, byte* destination, nuint destinationLength, byte* source, nuint sourceLength);

    [LibraryImport(Library, EntryPoint = "ZSTD_createDCtx")]
    internal static partial nint CreateDecompressor();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeDCtx")]
    internal static partial nuint FreeDecompressor(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_decompressDCtx")]
    internal static partial nuint Decompress(
        nint context, byte* destination, nuint destinationLength, byte* source, nuint sourceLength);

    [LibraryImport(Library, EntryPoint = "ZSTD_isError")]
    private static partial uint IsError(nuint result);

    [LibraryImport(Library, EntryPoint = "ZSTD_versionNumber")]
    private static partial uint Version();

    private static bool Probe() =>
        NativeLibrary.TryLoad(Library, typeof(NativeZstd).Assembly, searchPath: null, out _) && Version() >= VersionMin;
}
