using Benji.Store.Posix;
using Benji.Store.Posix.Directories;

namespace Benji.Store.Images.Overlays.Files;

/// <summary>Changes the real directory of overlays with Linux calls; no link in it is followed.</summary>
internal sealed class PosixOverlayFiles : IOverlayFiles
{
    /// <inheritdoc/>
    public void CreateDirectory(string path) => PosixDirectory.CreateDurably(path);

    /// <inheritdoc/>
    public IOverlayDisk Create(string path, long length) => FileOverlayDisk.Create(path, length);

    /// <inheritdoc/>
    public IOverlayDisk Open(string path, bool mayWrite) => new FileOverlayDisk(path, mayWrite);

    /// <inheritdoc/>
    public FileStatus? Find(string path) =>
        InDirectoryOf(path, (directory, name) => directory.Find(name));

    /// <inheritdoc/>
    public IEnumerable<string> List(string directory)
    {
        using var opened = TryOpen(directory);
        return [.. opened?.List("").Select(name => Path.Combine(directory, name)) ?? []];
    }

    /// <inheritdoc/>
    public void Rename(string source, string target)
    {
        using var directory = new RootDirectory(Path.GetDirectoryName(source)!);
        directory.Rename(Path.GetFileName(source), Path.GetFileName(target));
    }

    /// <inheritdoc/>
    public void Delete(string path) => InDirectoryOf(path, (directory, name) => directory.Delete(name));

    /// <inheritdoc/>
    public void SyncDirectory(string path)
    {
        using var opened = TryOpen(path);
        opened?.Sync("");
    }

    // A missing directory holds nothing: the default is what is said of a missing file, too.
    private static T? InDirectoryOf<T>(string path, Func<RootDirectory, string, T> action)
    {
        using var directory = TryOpen(Path.GetDirectoryName(path)!);
        return directory is null ? default : action(directory, Path.GetFileName(path));
    }

    private static RootDirectory? TryOpen(string path)
    {
        try
        {
            return new RootDirectory(path);
        }
        catch (PosixException failure) when (failure.Errno == Errno.NotFound)
        {
            return null;
        }
    }
}
