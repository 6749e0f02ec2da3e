using Benji.Store.Model;
using Benji.Store.Posix;

namespace Benji.Store.Storages.Files;

/// <summary>Translates failed system calls of a file storage to what its callers can act on.</summary>
internal sealed class FileStorageErrors(string root)
{
    /// <summary>Describes a failure with one object.</summary>
    /// <param name="verb">What was being done: "read", "write".</param>
    /// <param name="name">The object.</param>
    /// <param name="failure">The failed call; it names the path and the cause.</param>
    public StorageException Translate(string verb, ObjectName name, IOException failure) =>
        new($"Could not {verb} object {name} in storage {root}: {Cause(failure)}", IsTransient(failure), failure)
        {
            IsUnreadable = failure is PosixException { Errno: Errno.Io },
        };

    /// <summary>Describes a failure with several objects or the storage itself.</summary>
    public StorageException Translate(string action, IOException failure) =>
        new($"Could not {action} storage {root}: {Cause(failure)}", IsTransient(failure), failure);

    // The short words of the error number first: they are what a person looks for.
    private static string Cause(IOException failure) => failure is PosixException posix
        ? $"{Errno.Describe(posix.Errno)} (could not {posix.Action} {posix.Path})"
        : failure.Message;

    // Every failure is one of the storage, but for bytes that the disk does not give: those may be damage of one object.
    // Passing shortages, and a network file system that lost its server for a while. EIO is not among them: a disk that
    // says it will say it again, and a sync that failed once has lost the bytes. A full disk needs a person.
    private static bool IsTransient(IOException failure) => failure is PosixException
    {
        Errno: Errno.TryAgain or Errno.NoMemory or Errno.TooManyFiles or Errno.TooManyFilesInSystem
            or Errno.TimedOut or Errno.StaleHandle,
    };
}
