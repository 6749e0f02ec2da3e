using Benji.Store.Model;
using Benji.Store.Posix;
using Benji.Store.Storages;
using Benji.Store.Storages.Files;

namespace Benji.Testing.Storages;

/// <summary>What a file storage fails with, by the error number of the system call.</summary>
internal static class StorageFailures
{
    /// <summary>One of each kind that is not absence, wrong bytes, or a bad sector.</summary>
    public static IReadOnlyList<int> Kinds { get; } =
    [
        Errno.AccessDenied, Errno.NotPermitted, Errno.StaleHandle, Errno.TimedOut, Errno.TooManyFiles,
        Errno.TooManyFilesInSystem, Errno.NoMemory, Errno.NotConnected, Errno.TryAgain, Errno.NoDevice, Errno.RemoteIo,
    ];

    /// <summary>The failure of a call that concerns one object.</summary>
    public static StorageException Of(int errno) => (StorageException)new FileStorageErrors("/storage").Translate(
        "read", new ObjectName("object"), new PosixException("open", "/storage/object", errno));
}
