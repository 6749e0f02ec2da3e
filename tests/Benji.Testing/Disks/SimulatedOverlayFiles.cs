using Benji.Store.Images.Overlays.Files;
using Benji.Store.Posix;

namespace Benji.Testing.Disks;

/// <summary>The directory of overlays on a simulated disk.</summary>
/// <remarks>One life of one process: after a restart it fails for ever.</remarks>
internal sealed class SimulatedOverlayFiles(SimulatedDisk disk) : IOverlayFiles
{
    private readonly int _life = disk.Life;

    /// <inheritdoc/>
    public void CreateDirectory(string path)
    {
        // The disk has one directory, which is there.
    }

    /// <inheritdoc/>
    public IOverlayDisk Create(string path, long length)
    {
        disk.Do(new DiskStep(path, DiskStepKind.Truncate, length), _life, file => file.Truncate(length));
        return new SimulatedOverlayDisk(disk, name: path);
    }

    /// <inheritdoc/>
    public IOverlayDisk Open(string path, bool mayWrite) => disk.Names.Contains(path)
        ? new SimulatedOverlayDisk(disk, name: path)
        : throw new PosixException("open", path, Errno.NotFound);

    /// <inheritdoc/>
    public FileStatus? Find(string path) => disk.Names.Contains(path)
        ? new FileStatus(
            FileKind.Regular, PosixFile.PrivateMode, disk[path].Length, 0, disk[path].Modified, 0, default, default)
        : null;

    /// <inheritdoc/>
    public IEnumerable<string> List(string directory) =>
        [.. disk.Names.Where(name => name.StartsWith(directory + "/", StringComparison.Ordinal))];

    /// <inheritdoc/>
    public void Rename(string source, string target) => disk.Rename(source, target, _life);

    /// <inheritdoc/>
    public void Delete(string path)
    {
        if (disk.Names.Contains(path))
        {
            disk.Delete(path, _life);
        }
    }

    /// <inheritdoc/>
    public void SyncDirectory(string path) => disk.SyncNames(path, _life);
}
