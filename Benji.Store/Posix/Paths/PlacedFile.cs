using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Posix.Paths;

/// <summary>What a path leads to, held by its place in the tree of files and not opened: nobody else is asked for its bytes, and
/// whatever is told of it is told of this one file, also when another takes its name.</summary>
internal sealed class PlacedFile : IDisposable
{
    private const string MountNumber = "mnt_id:";

    private readonly string _path;
    private readonly SafeFileHandle _place;

    private PlacedFile(string path)
    {
        _path = path;
        _place = PosixFile.Open(path, OpenFlags.PathOnly);
    }

    private string Descriptor => _place.DangerousGetHandle().ToString(CultureInfo.InvariantCulture);

    /// <summary>Finds what a path leads to; a link leads to what it names.</summary>
    /// <exception cref="PosixException">There is nothing, or it could not be looked up.</exception>
    public static PlacedFile Find(string path) => new(path);

    /// <summary>Returns the type of the file system that the path entered there, <c>ext4</c> or <c>fuse.benji</c>.</summary>
    /// <returns>Null when this process does not see its mount.</returns>
    /// <remarks>Source: proc_pid_fdinfo(5), proc_pid_mountinfo(5). The type is what whoever mounted it said it is.</remarks>
    /// <exception cref="IOException">The kernel's tables cannot be read.</exception>
    public string? FindFileSystem()
    {
        var number = File.ReadLines($"/proc/self/fdinfo/{Descriptor}")
            .First(line => line.StartsWith(MountNumber, StringComparison.Ordinal))[MountNumber.Length..].Trim();
        return MountMap.Read().Mounts.FirstOrDefault(mount => mount.Number == number)?.Type;
    }

    /// <summary>Reads an extended attribute as text in UTF-8.</summary>
    /// <param name="name">The attribute, its namespace before it.</param>
    /// <param name="lengthMax">Bytes that it has at most.</param>
    /// <returns>Null when the file has no such attribute, its file system none at all, or it is longer.</returns>
    /// <exception cref="PosixException">The file is gone, or its file system did not answer.</exception>
    public unsafe string? FindAttribute(string name, int lengthMax)
    {
        var value = new byte[lengthMax];
        nint length;
        fixed (byte* start = value)
        {
            length = LibC.GetAttribute($"/proc/self/fd/{Descriptor}", name, start, (nuint)value.Length);
        }

        if (length >= 0)
        {
            return Encoding.UTF8.GetString(value.AsSpan(0, (int)length));
        }

        return Marshal.GetLastPInvokeError() is Errno.NoData or Errno.NotSupported or Errno.OutOfRange
            ? null
            : throw PosixException.OfLastError("read an attribute of", _path);
    }

    /// <summary>Lets it go.</summary>
    public void Dispose() => _place.Dispose();
}
