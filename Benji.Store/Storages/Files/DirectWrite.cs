using System.Runtime.CompilerServices;
using Benji.Store.Model;
using Benji.Store.Posix;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Storages.Files;

/// <summary>Writes memory to a file past the page cache: whole 4 KiB units as they lie, the rest from a padded copy, and
/// the little that a map page is from a copy at once.</summary>
internal static class DirectWrite
{
    private const int Unit = BlockBuffer.Alignment;

    // A second write costs more than a copy of so little.
    private const int CopiedMax = 4 * Unit;

    /// <summary>True when the bytes lie so that a direct write needs no copy of them, and are enough to be worth it.</summary>
    public static unsafe bool Suits(ReadOnlySpan<byte> content) =>
        content.Length >= Unit
        && (nuint)Unsafe.AsPointer(ref Unsafe.AsRef(in content[0])) % Unit == 0;

    /// <summary>Writes a whole file; its length is exact when it returns.</summary>
    /// <param name="file">A new file, open for direct writing.</param>
    /// <param name="path">For messages.</param>
    /// <param name="content">Suits a direct write.</param>
    /// <exception cref="PosixException">EINVAL when the file system wants another alignment.</exception>
    public static void Write(SafeFileHandle file, string path, ReadOnlySpan<byte> content)
    {
        if (content.Length % Unit == 0)
        {
            PosixFile.Write(file, path, 0, content);
            return;
        }

        var whole = content.Length > CopiedMax ? content.Length / Unit * Unit : 0;
        if (whole > 0)
        {
            PosixFile.Write(file, path, 0, content[..whole]);
        }

        var rest = content[whole..];
        Span<byte> memory = stackalloc byte[CopiedMax + Unit];
        var padded = Align(memory)[..((rest.Length + Unit - 1) / Unit * Unit)];
        rest.CopyTo(padded);
        padded[rest.Length..].Clear();
        PosixFile.Write(file, path, whole, padded);
        PosixFile.Truncate(file, path, content.Length);
    }

    // Memory of the stack does not move.
    private static unsafe Span<byte> Align(Span<byte> memory)
    {
        var address = (nuint)Unsafe.AsPointer(ref memory[0]);
        return memory[(int)((Unit - (address % Unit)) % Unit)..];
    }
}
