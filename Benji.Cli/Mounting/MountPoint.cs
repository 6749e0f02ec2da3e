using System.Globalization;
using Benji.Mount;
using Benji.Store;
using Benji.Store.Model;

namespace Benji.Cli.Mounting;

/// <summary>Where a mount is to be: resolved, cleaned of a dead mount, and refused where it could do harm.</summary>
internal static class MountPoint
{
    private const int StaleMost = 16;

    /// <summary>Returns the absolute path of a mount point without symbolic links; the mount itself is not asked.</summary>
    /// <exception cref="UsageException">The text is no path.</exception>
    public static string Resolve(string text)
    {
        if (text.Length == 0 || text.Contains('\0', StringComparison.Ordinal))
        {
            throw new UsageException($"{Names.Show(text)} is no mount point.");
        }

        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(text));
        return MountTable.Find(full) is null ? FileIdentity.Resolve(full) : full;
    }

    /// <summary>Takes away what a killed mount has left at the path.</summary>
    /// <returns>How many were taken away.</returns>
    /// <exception cref="InUseException">A mount that is alive stands there.</exception>
    public static int Clean(string mountPoint)
    {
        for (var cleaned = 0; cleaned < StaleMost; cleaned++)
        {
            if (MountTable.Find(mountPoint) is not { Type: MountTable.BenjiType } entry)
            {
                return cleaned;
            }

            if (MountRecord.Find(entry) is { IsRunning: true } record)
            {
                throw InUse(mountPoint, string.Create(CultureInfo.InvariantCulture, $" by process {record.Process}"));
            }

            if (!FileIdentity.IsDisconnected(mountPoint))
            {
                throw InUse(mountPoint, "");
            }

            Unmounting.Detach(mountPoint);
        }

        return StaleMost;
    }

    /// <summary>Refuses a mount point that is no directory, or that shares a path with what the mount itself reads.</summary>
    /// <remarks>A mount that has to read itself to answer waits for itself, and with it every process that looks at it.
    /// Paths are compared resolved, and by device and number, because one directory may have several paths.</remarks>
    /// <exception cref="NotFoundException">It does not exist.</exception>
    /// <exception cref="NotAllowedException">It is in, over, or the same as a directory of the store.</exception>
    public static void Check(string mountPoint, StoreOptions store)
    {
        if (FileIdentity.Find(mountPoint) is not { } found)
        {
            throw new NotFoundException($"Mount point {mountPoint} does not exist: make it with mkdir.");
        }

        if (!found.IsDirectory)
        {
            throw new UsageException($"Mount point {mountPoint} is no directory.");
        }

        foreach (var (what, path) in DirectoriesOf(store))
        {
            var resolved = FileIdentity.Resolve(path);
            if (Contains(resolved, mountPoint) || Contains(mountPoint, resolved))
            {
                throw new NotAllowedException(
                    $"Mount point {mountPoint} and {what} {path} lie in one another: the mount would wait for itself. "
                    + "Use another directory.");
            }
        }

        store.Places.RequireOutside(mountPoint, "Mount point");
    }

    private static IEnumerable<(string What, string Path)> DirectoriesOf(StoreOptions store)
    {
        yield return ("the catalog's directory", Path.GetDirectoryName(Path.GetFullPath(store.CatalogPath))!);
        yield return ("the overlays", store.OverlayDirectory);
        foreach (var storage in store.Storages)
        {
            yield return ($"storage {storage.Name}", storage.Path);
        }
    }

    /// <summary>True when a path is a directory or lies below it.</summary>
    private static bool Contains(string directory, string path)
    {
        if (FileIdentity.Find(directory) is not { } outer)
        {
            return path == directory || path.StartsWith($"{directory}/", StringComparison.Ordinal);
        }

        for (string? step = path; step is not null; step = Path.GetDirectoryName(step))
        {
            if (FileIdentity.Find(step) is { } inner && inner.Device == outer.Device && inner.Inode == outer.Inode)
            {
                return true;
            }
        }

        return false;
    }

    private static InUseException InUse(string mountPoint, string who) =>
        new($"{mountPoint} is mounted already{who}: run 'benji umount {mountPoint}' first.");
}
