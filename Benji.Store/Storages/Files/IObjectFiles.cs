namespace Benji.Store.Storages.Files;

/// <summary>The few steps by which a file storage changes its directory, each of which a crash can part from the next.</summary>
/// <remarks>Paths are relative to the directory, which is the empty one itself. Synchronous and safe for concurrent calls. Every method fails with
/// <see cref="Benji.Store.Posix.PosixException"/>.</remarks>
internal interface IObjectFiles
{
    /// <summary>Writes a new file, which is not yet durable.</summary>
    /// <returns>The open file, to be synced and disposed by the caller. On failure nothing is left under the path.</returns>
    IStagedFile Write(string path, ReadOnlyMemory<byte> content);

    /// <summary>Writes over a file that is there, in its own place on the disk and alone; not yet durable.</summary>
    /// <returns>The open file, to be synced and disposed by the caller; null when there is none or somebody else writes over
    /// it.</returns>
    IStagedFile? TryOverwrite(string path, ReadOnlyMemory<byte> content);

    /// <summary>True when there is a file of that name.</summary>
    bool Exists(string path);

    /// <summary>Makes the bytes and lengths of files durable; their names are not, by this.</summary>
    void SyncFiles(IReadOnlyCollection<IStagedFile> files);

    /// <summary>Gives a file another name, replacing what has it as a whole; not yet durable.</summary>
    void Rename(string source, string target);

    /// <summary>Gives a file another name unless something has it; not yet durable.</summary>
    /// <returns>False when the name is taken; the file then keeps its own.</returns>
    bool TryRenameNew(string source, string target);

    /// <summary>Moves a file from its name to another that nobody else uses; not yet durable.</summary>
    /// <param name="path">Its name.</param>
    /// <param name="temporary">Where it goes, if that is on the same mount.</param>
    /// <returns>Where it is now; null when there is no file of that name.</returns>
    string? TakeAway(string path, string temporary);

    /// <summary>True when there is a file of that name and its bytes are exactly these.</summary>
    bool Holds(string path, ReadOnlyMemory<byte> content);

    /// <summary>Creates one directory; not yet durable.</summary>
    /// <returns>False when the name is taken, by whatever.</returns>
    bool TryCreateDirectory(string path);

    /// <summary>Makes the entries of directories durable; a missing directory has none and is passed over.</summary>
    void SyncDirectories(IReadOnlyCollection<string> paths);

    /// <summary>Deletes a file; not yet durable.</summary>
    /// <returns>False when there is no file of that name.</returns>
    bool Delete(string path);
}

/// <summary>A file that was written and has not yet its name.</summary>
/// <remarks>Held open until it is synced, so that an error of writing it back cannot be missed. Disposing closes it.</remarks>
internal interface IStagedFile : IDisposable
{
    /// <summary>Where it is now.</summary>
    string Path { get; }
}
