using Benji.Store.Posix;

namespace Benji.Store.Sources.Files;

/// <summary>Gives a finished file its name, on every file system, without replacing what has it.</summary>
internal static class NewName
{
    /// <summary>Renames <paramref name="partial"/> unless something has the name.</summary>
    /// <returns>False when the name is taken; the file then keeps its own.</returns>
    /// <exception cref="PosixException">It could not be renamed.</exception>
    internal static bool TryGive(string partial, string path)
    {
        try
        {
            return PosixFile.TryRenameNew(partial, path);
        }
        catch (PosixException cause) when (cause.Errno is Errno.NotPermitted or Errno.NotSupported or Errno.NotImplemented)
        {
            // Neither exclusive renames nor hard links: some network, removable and user-space file systems.
            return TryGiveByPlaceholder(partial, path);
        }
    }

    /// <summary>Takes the name with an empty file, and renames over that.</summary>
    /// <remarks>A crash in between leaves the empty file, which cannot be taken for a restored one, and the partial one.
    /// </remarks>
    internal static bool TryGiveByPlaceholder(string partial, string path)
    {
        try
        {
            PosixFile.Open(path, OpenFlags.Write | OpenFlags.Create | OpenFlags.Exclusive).Dispose();
        }
        catch (PosixException cause) when (cause.Errno == Errno.Exists)
        {
            return false;
        }

        try
        {
            PosixFile.Rename(partial, path);
            return true;
        }
        catch (PosixException)
        {
            PosixFile.Delete(path);
            throw;
        }
    }
}
