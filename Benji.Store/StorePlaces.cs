using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Posix;
using Benji.Store.Posix.Paths;

namespace Benji.Store;

/// <summary>The places of a store: the files of its catalog, its storages, its overlays. Nothing else is written there, and
/// they lie apart.</summary>
/// <remarks>Paths are compared by where they lead: links, dots and mounts are resolved, a file is known by any of its names,
/// and a device by what lies on it. A path that does not exist yet is judged by where it would be. What is on another machine
/// is judged by its path and its mount alone: a storage that is away must not hold up a command that does not need it.</remarks>
public sealed class StorePlaces
{
    private readonly List<(string What, string Path)> _directories;
    private readonly string _catalog;

    internal StorePlaces(StoreOptions options)
    {
        _catalog = options.CatalogPath;
        _directories =
        [
            .. options.Storages.Select(storage => ($"storage {Names.Show(storage.Name)}", storage.Path)),
            ("the directory of overlays", options.OverlayDirectory),
        ];
    }

    /// <summary>Refuses a path that a command is about to write to, when it is of the store or in one of its places.</summary>
    /// <param name="path">As the user gave it.</param>
    /// <param name="what">What messages call it: "The target".</param>
    /// <exception cref="NotAllowedException">It is; nothing was written.</exception>
    /// <exception cref="StorageException">It cannot be told.</exception>
    public void RequireOutside(string path, string what)
    {
        // As the kernel takes it, and as text: with a link before two dots they differ.
        var found = Do(() => new[] { path, Path.GetFullPath(path) }.Distinct().Select(Find).FirstOrDefault(place => place is not null));
        if (found is not null)
        {
            throw new NotAllowedException(
                $"{what} {path} lies in {found}, where only the store itself may write. Nothing was written; use another path.");
        }
    }

    /// <summary>Refuses a store two of whose places are the same or lie in one another.</summary>
    /// <exception cref="NotAllowedException">They do; nothing was written.</exception>
    /// <exception cref="StorageException">It cannot be told.</exception>
    public void RequireApart() => Do(() =>
    {
        var mounts = MountMap.Read();
        foreach (var (what, path) in _directories)
        {
            var holder = _directories.Find(other => other.What != what && IsIn(path, other.Path, mounts));
            if (holder.What is not null)
            {
                throw new NotAllowedException(
                    $"The path of {what}, {path}, lies in {holder.What}, {holder.Path}: each needs a directory of its own.");
            }
        }

        // Overlays are files of their own names, beside which a catalog may stand.
        var storage = _directories.SkipLast(1).FirstOrDefault(storage => IsIn(_catalog, storage.Path, mounts));
        return storage.What is null
            ? true
            : throw new NotAllowedException(
                $"The catalog {_catalog} lies in {storage.What}, {storage.Path}: it needs a directory of its own.");
    });

    /// <summary>Names the storages in which there are versions, whether a catalog knows them or not.</summary>
    /// <exception cref="StorageException">One cannot be looked into.</exception>
    public IReadOnlyList<string> FindVersions() =>
        [.. _directories.SkipLast(1).Where(storage => HoldsVersions(storage.Path)).Select(storage => storage.What)];

    /// <summary>True when there is a version in the directory of a storage.</summary>
    /// <exception cref="StorageException">It cannot be looked into.</exception>
    internal static bool HoldsVersions(string storage)
    {
        var manifests = Path.Combine(storage, ObjectNames.ManifestPrefix);
        try
        {
            return PosixDirectory.IsDirectory(manifests)
                && Directory.EnumerateFiles(manifests, "*", SearchOption.AllDirectories).Any();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"Nobody can tell which versions are in {storage}: {failure.Message}", false, failure);
        }
    }

    // Says in what a path lies; null when it is in none.
    private string? Find(string path)
    {
        var mounts = MountMap.Read();
        foreach (var (what, directory) in _directories)
        {
            if (IsIn(path, directory, mounts))
            {
                return what;
            }
        }

        var real = RealPath.Of(path);
        var status = FileStatus.Find(real, followLink: true);
        if (IsOfCatalog(real, status, mounts))
        {
            return "the catalog";
        }

        return status is { } found ? FindByOtherName(found, real, mounts) ?? FindOnDevice(found, mounts) : null;
    }

    private static bool IsIn(string path, string directory, MountMap mounts)
    {
        var real = RealPath.Of(path, mounts);
        var place = RealPath.Of(directory, mounts);
        if (MountMap.IsSameOrBelow(place, real)
            || (mounts.Locate(real) is { } location && mounts.LocateTree(place).Any(tree => tree.Contains(location))))
        {
            return true;
        }

        // By number too: not every way to show a directory twice is in the table of mounts.
        return FindLocal(place, mounts) is { } root
            && Ancestors(real).Any(ancestor => IsSame(FindLocal(ancestor, mounts), root));
    }

    private bool IsOfCatalog(string real, FileStatus? status, MountMap mounts)
    {
        var catalog = RealPath.Of(_catalog, mounts);
        var directory = Path.GetDirectoryName(catalog)!;
        if (Path.GetDirectoryName(real) is { } parent && IsName(real) && mounts.Locate(parent) == mounts.Locate(directory))
        {
            return true;
        }

        return PosixDirectory.IsDirectory(directory) && Directory.EnumerateFileSystemEntries(directory).Where(IsName).Any(
            file => IsIn(real, file, mounts) || IsSame(FindLocal(file, mounts), status));

        // The main file, and all that differ from it in what follows the last dot.
        bool IsName(string path) => Path.GetFileName(path) == Path.GetFileName(catalog)
            || Path.GetFileName(path).StartsWith(Path.GetFileNameWithoutExtension(catalog) + ".", StringComparison.Ordinal);
    }

    // All names of a file are in one file system.
    private string? FindByOtherName(FileStatus file, string real, MountMap mounts) =>
        file is { Kind: FileKind.Regular, Links: > 1 } && mounts.Find(real)?.FileSystem is { } fileSystem
            ? _directories.Select(place => (place.What, Path: RealPath.Of(place.Path, mounts)))
                .Where(place => mounts.LocateTree(place.Path).Any(tree => tree.FileSystem == fileSystem))
                .Where(place => PosixDirectory.IsDirectory(place.Path))
                .FirstOrDefault(place => FolderContent.Holds(place.Path, file)).What
            : null;

    // A device is written to as a whole: what lies on it, on its partitions and on what is built on them is lost.
    private string? FindOnDevice(FileStatus target, MountMap mounts)
    {
        if (target.Kind == FileKind.BlockDevice && DeviceTree.FileOf(target.Device) is { } file && Find(file) is { } place)
        {
            return place;
        }

        var written = target.Kind switch
        {
            FileKind.BlockDevice => DeviceTree.WithAllAbove(target.Device),
            FileKind.Regular => DeviceTree.LoopsOn(target).Select(DeviceTree.NumberOf).OfType<DeviceNumber>()
                .SelectMany(DeviceTree.WithAllAbove).ToHashSet(),
            _ => [],
        };
        return written.Count == 0
            ? null
            : _directories.Append(("the catalog", _catalog))
                .Where(place => DevicesUnder(RealPath.Of(place.Item2, mounts), mounts).Any(written.Contains))
                .Select(place => place.Item1)
                .FirstOrDefault();
    }

    private static IEnumerable<DeviceNumber> DevicesUnder(string place, MountMap mounts)
    {
        foreach (var mount in mounts.Mounts.Where(mount => MountMap.IsSameOrBelow(place, mount.Point))
            .Append(mounts.Find(place)).OfType<MountedAt>())
        {
            yield return mount.FileSystem;

            // A file system over several devices has a number of its own.
            if (mount.Source.StartsWith("/dev/", StringComparison.Ordinal)
                && FileStatus.Find(mount.Source, followLink: true) is { Kind: FileKind.BlockDevice } source)
            {
                yield return source.Device;
            }
        }
    }

    private static FileStatus? FindLocal(string path, MountMap mounts) =>
        mounts.IsRemote(path) ? null : FileStatus.Find(path, followLink: true);

    private static IEnumerable<string> Ancestors(string path)
    {
        for (string? step = path; step is not null; step = Path.GetDirectoryName(step))
        {
            yield return step;
        }
    }

    private static bool IsSame(FileStatus? left, FileStatus? right) =>
        left is { } one && right is { } other && one.Inode == other.Inode && one.FileSystem == other.FileSystem;

    private static T Do<T>(Func<T> look)
    {
        try
        {
            return look();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(
                $"Nobody can tell whether a path lies in the store: {failure.Message}", isTransient: false, failure);
        }
    }
}
