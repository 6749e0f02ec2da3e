using System.Runtime.InteropServices;

namespace Benji.Cli.Streams;

/// <summary>Asks the kernel how wide a terminal is.</summary>
/// <remarks>The console class of .NET would first switch the terminal's keys to another mode, and leave it there.</remarks>
internal static partial class TerminalSize
{
    private const int ColumnsDefault = 80;

    // TIOCGWINSZ of asm-generic/ioctls.h.
    private const nuint GetWindowSize = 0x5413;

    /// <summary>Returns the columns of the terminal behind a descriptor; 80 when it has none or does not say.</summary>
    public static int Columns(int descriptor) =>
        Control(descriptor, GetWindowSize, out var size) == 0 && size.Columns > 0 ? size.Columns : ColumnsDefault;

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Control(int descriptor, nuint request, out WindowSize size);

    /// <summary>The kernel's <c>struct winsize</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct WindowSize
    {
        private readonly ushort _rows;
        private readonly ushort _columns;
        private readonly ushort _pixelsWide;
        private readonly ushort _pixelsHigh;

        public int Columns => _columns;
    }
}
