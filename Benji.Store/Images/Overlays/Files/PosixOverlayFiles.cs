using Benji.Store.Posix;

namespace Benji.Store.Images.Overlays.Files;

/// <summary>Changes the real directory of overlays with Linux calls.</summary>
internal sealed class PosixOverlayFiles : IOverlayFiles
{
    /// <inheritdoc/>
    public void CreateDirectory(string path) => PosixDirectory.CreateDurably(path);

    /// <inheritdoc/>
    public IOverlayDisk Create(string path, long length) => FileOverlayDisk.Create(path, length);

    /// <inheritdoc/>
    public IOverlayDisk Open(string path, bool mayWrite) => new FileOverlayDisk(path, mayWrite);

    /// <inheritdoc/>
    public FileStatus? Find(string path) => FileStatus.Find(path, followLink: false);

    /// <inheritdoc/>
    public IEnumerable<string> List(string directory)
    {
        if (FileStatus.Find(directory, followLink: true) is null)
        {
            return [];
        }

        // Says so with an error number when the directory is not ours to list.
        PosixFile.Open(directory, OpenFlags.Directory).Dispose();
        return Directory.GetFiles(directory);
    }

    /// <inheritdoc/>
    public void Rename(string source, string target) => PosixFile.Rename(source, target);

    /// <inheritdoc/>
    public void Delete(string path) => PosixFile.Delete(path);

    /// <inheritdoc/>
    public void SyncDirectory(string path)
    {
        if (Directory.Exists(path))
        {
            PosixDirectory.Sync(path);
        }
    }
}
