using Benji.Store.Posix;

namespace Benji.Store.Storages.Files;

/// <summary>A small file that a storage's directory holds in reserve, so that one small object can still be put when the disk is
/// full: what makes room there must first put such a one.</summary>
/// <remarks>All processes share it. It is taken by a kernel lock, so that nobody else uses it and a process that dies leaves it
/// where it is. On a file system that never writes in place it promises nothing. Safe for concurrent calls.</remarks>
/// <param name="files">The steps.</param>
/// <param name="path">Where the file is.</param>
internal sealed class SpareFile(IObjectFiles files, string path)
{
    /// <summary>Bytes of the largest object that may take it: an age mark is smaller, every other object larger.</summary>
    public const int ContentMax = 128;

    private const int Length = 4096;

    private volatile bool _isThere;

    /// <summary>Writes over the file, for an object that found the disk full.</summary>
    /// <returns>The file, to be published like any other; null when there is none, or somebody else takes it.</returns>
    /// <exception cref="PosixException">It could not be written.</exception>
    public IStagedFile? TryTake(ReadOnlyMemory<byte> content)
    {
        if (content.Length > ContentMax)
        {
            return null;
        }

        _isThere = false;
        return files.TryOverwrite(path, content);
    }

    /// <summary>True for the file itself, as opposed to one that was newly written.</summary>
    public bool Is(IStagedFile file) => file.Path == path;

    /// <summary>Makes the file where it is missing, durable; where that fails, the next deletion tries again.</summary>
    /// <param name="newTemporary">Gives the path of a new temporary file.</param>
    /// <param name="isDeletion">True after a deletion: another process may have taken it since it was last seen.</param>
    public void Keep(Func<string> newTemporary, bool isDeletion)
    {
        if (_isThere && !isDeletion)
        {
            return;
        }

        try
        {
            if (!files.Exists(path))
            {
                Make(newTemporary);
            }

            _isThere = true;
        }
        catch (PosixException)
        {
            // The disk is full or not to be written: whoever has something to put there will say so.
        }
    }

    private void Make(Func<string> newTemporary)
    {
        string temporary;
        try
        {
            temporary = newTemporary();
        }
        catch (PosixException failure) when (failure.LacksRoom)
        {
            // A disk that takes one more file, and no directory for it. What a crash leaves of it is as good as nothing.
            using var made = files.Write(path, new byte[Length]);
            files.SyncFiles([made]);
            files.SyncDirectories([Path.GetDirectoryName(path)!]);
            return;
        }

        Make(temporary);
    }

    private void Make(string temporary)
    {
        using var file = files.Write(temporary, new byte[Length]);
        try
        {
            files.SyncFiles([file]);
            if (files.TryRenameNew(temporary, path))
            {
                files.SyncDirectories([Path.GetDirectoryName(path)!]);
                return;
            }
        }
        catch
        {
            files.Delete(temporary);
            throw;
        }

        files.Delete(temporary);
    }
}
