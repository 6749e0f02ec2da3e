namespace Benji.Store.Posix.Directories;

/// <summary>Says that a symbolic link stands where none is followed.</summary>
/// <param name="root">The directory below which none is.</param>
/// <param name="path">The link.</param>
internal sealed class LinkInTheWayException(string root, string path) : PosixException(
    $"{path} is a symbolic link, and none is followed below {root}: put a bind mount in its place, or take it away " +
    "(docs/operations.md, \"Links inside a storage\").",
    "follow",
    path,
    Posix.Errno.TooManySymbolicLinks);
