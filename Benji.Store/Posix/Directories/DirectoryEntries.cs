using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Posix.Directories;

/// <summary>Reads the names in an open directory.</summary>
/// <remarks>The kernel's own call: .NET lists by path only, and a path may lead elsewhere by the time it is taken.</remarks>
internal static class DirectoryEntries
{
    private const int BufferLength = 32 * 1024;

    // struct linux_dirent64: inode 8, offset 8, record length 2, kind 1, name up to a zero byte.
    private const int LengthOffset = 16;
    private const int NameOffset = 19;

    private static readonly nint Number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 61 : 217;

    /// <summary>Returns the names, each once; those of the directory itself and of its parent are left out.</summary>
    /// <param name="directory">Open for reading, at its start.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <exception cref="PosixException">It could not be read.</exception>
    public static unsafe HashSet<string> Read(SafeFileHandle directory, string path)
    {
        // All at once: some file systems name an entry twice to a reader when it is replaced while being read.
        var names = new HashSet<string>(StringComparer.Ordinal);
        var buffer = new byte[BufferLength];
        while (true)
        {
            nint length;
            fixed (byte* start = buffer)
            {
                length = LibC.ReadEntries(Number, directory, start, BufferLength);
            }

            if (length < 0 && Marshal.GetLastPInvokeError() != Errno.Interrupted)
            {
                throw PosixException.OfLastError("list", path);
            }

            if (length == 0)
            {
                return names;
            }

            Add(names, buffer.AsSpan(0, (int)Math.Max(0, length)));
        }
    }

    private static void Add(HashSet<string> names, ReadOnlySpan<byte> entries)
    {
        while (entries.Length > 0)
        {
            var length = MemoryMarshal.Read<ushort>(entries[LengthOffset..]);
            var name = entries[NameOffset..length];
            var text = Encoding.UTF8.GetString(name[..name.IndexOf((byte)0)]);
            if (text is not ("." or ".."))
            {
                names.Add(text);
            }

            entries = entries[length..];
        }
    }
}
