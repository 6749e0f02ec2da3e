using System.Runtime.InteropServices;
using System.Text;

namespace Benji.Store.Posix;

/// <summary>Reads the extended attributes of files.</summary>
internal static class ExtendedAttribute
{
    /// <summary>Reads an attribute of a file as text in UTF-8.</summary>
    /// <param name="path">The file; a link leads to what it names.</param>
    /// <param name="name">The attribute, its namespace before it.</param>
    /// <param name="lengthMax">Bytes that it has at most.</param>
    /// <returns>Null when the file has no such attribute, its file system none at all, or it is longer.</returns>
    /// <exception cref="PosixException">The file could not be looked up.</exception>
    public static unsafe string? Find(string path, string name, int lengthMax)
    {
        var value = new byte[lengthMax];
        nint length;
        fixed (byte* start = value)
        {
            length = LibC.GetAttribute(path, name, start, (nuint)value.Length);
        }

        if (length >= 0)
        {
            return Encoding.UTF8.GetString(value.AsSpan(0, (int)length));
        }

        return Marshal.GetLastPInvokeError() is Errno.NoData or Errno.NotSupported or Errno.OutOfRange
            ? null
            : throw PosixException.OfLastError("read an attribute of", path);
    }
}
