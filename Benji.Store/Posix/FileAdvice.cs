using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Posix;

/// <summary>Tells the kernel how a file is about to be read, or that its cached bytes are not needed again.</summary>
/// <remarks>Only hints: a file that takes none (a pipe, some devices) is left as it is, so nothing here fails.</remarks>
internal static class FileAdvice
{
    private const int SequentialAdvice = 2;
    private const int WillNeedAdvice = 3;
    private const int DontNeedAdvice = 4;

    /// <summary>Says that the file will be read from its start to its end, so that reading ahead pays.</summary>
    public static void Sequential(SafeFileHandle file) => _ = LibC.Advise(file, 0, 0, SequentialAdvice);

    /// <summary>Starts reading a range into the page cache.</summary>
    public static void WillNeed(SafeFileHandle file, long offset, long length) =>
        _ = LibC.Advise(file, offset, length, WillNeedAdvice);

    /// <summary>Drops the clean cached pages that lie wholly in a range; a length of 0 means to the file's end.</summary>
    public static void DontNeed(SafeFileHandle file, long offset, long length) =>
        _ = LibC.Advise(file, offset, length, DontNeedAdvice);
}
