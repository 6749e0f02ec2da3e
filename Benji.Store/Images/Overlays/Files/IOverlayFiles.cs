using Benji.Store.Posix;

namespace Benji.Store.Images.Overlays.Files;

/// <summary>The few steps by which the directory of overlays changes, each of which a crash can part from the next; a
/// simulated disk can stand in for it.</summary>
/// <remarks>Paths are absolute, and lead to names in the one directory. A symbolic link at such a name is neither followed nor
/// touched, but a failure. Synchronous and safe for concurrent calls. Every method fails with
/// <see cref="IOException"/>.</remarks>
internal interface IOverlayFiles
{
    /// <summary>Creates a directory and its missing parents; all durable when it returns.</summary>
    void CreateDirectory(string path);

    /// <summary>Creates a file of zeros that take no space; neither it nor its name is durable.</summary>
    /// <returns>The open file, which the caller disposes. On failure a file may be left under the path.</returns>
    IOverlayDisk Create(string path, long length);

    /// <summary>Opens a file.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="mayWrite">False to read only.</param>
    IOverlayDisk Open(string path, bool mayWrite);

    /// <summary>Returns the status of a file, or null when there is none.</summary>
    FileStatus? Find(string path);

    /// <summary>Lists the paths of all that is in a directory; none when it is missing.</summary>
    IEnumerable<string> List(string directory);

    /// <summary>Gives a file another name, replacing what has it; not yet durable.</summary>
    void Rename(string source, string target);

    /// <summary>Deletes a regular file, where there is one; not yet durable.</summary>
    void Delete(string path);

    /// <summary>Makes the names in a directory durable; a missing directory has none.</summary>
    void SyncDirectory(string path);
}
