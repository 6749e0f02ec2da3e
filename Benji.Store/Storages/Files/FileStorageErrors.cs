using Benji.Store.Model;
using Benji.Store.Posix;
using Benji.Store.Posix.Directories;

namespace Benji.Store.Storages.Files;

/// <summary>Translates failed system calls of a file storage to what its callers can act on.</summary>
internal sealed class FileStorageErrors(string root)
{
    /// <summary>Describes a failure with one object.</summary>
    /// <param name="verb">What was being done: "read", "write".</param>
    /// <param name="name">The object.</param>
    /// <param name="failure">The failed call; it names the path and the cause.</param>
    public BenjiException Translate(string verb, ObjectName name, IOException failure) =>
        Translate($"{verb} object {name} in", failure, isOneObject: true);

    /// <summary>Describes a failure with several objects or the storage itself.</summary>
    /// <remarks>A link in the way is no damage and no failure of the disk: nothing is read or written through it.</remarks>
    public BenjiException Translate(string action, IOException failure) =>
        Translate(action, failure, isOneObject: false);

    private BenjiException Translate(string action, IOException failure, bool isOneObject)
    {
        var message = $"Could not {action} storage {root}: {Cause(failure)}";
        return failure is LinkInTheWayException
            ? new ConfigurationException(message, failure)
            : new StorageException(message, IsTransient(failure), failure)
            {
                IsUnreadable = isOneObject && failure is PosixException { Errno: Errno.Io },
            };
    }

    // The short words of the error number first: they are what a person looks for.
    private static string Cause(IOException failure) => failure is PosixException posix and not LinkInTheWayException
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
