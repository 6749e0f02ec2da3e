namespace Benji.Store.Posix.Paths;

/// <summary>Finds out by what a block device is in use: a mount, swap, or another device built on it or on a file.</summary>
/// <remarks>For messages, and a second line behind the exclusive open, which alone is free of races.</remarks>
internal static class DeviceUse
{
    /// <summary>Says by what a device, or a partition of it, is in use.</summary>
    /// <returns>Words for a message, such as <c>/dev/sdb1 is mounted at /home</c>; null when nothing was found.</returns>
    /// <exception cref="PosixException">The device could not be looked up.</exception>
    public static string? Find(string path)
    {
        if (FileStatus.Find(path, followLink: true) is not { Kind: FileKind.BlockDevice } status)
        {
            return null;
        }

        // The device itself and its partitions: writing to a disk writes to all of them.
        return DeviceTree.WithPartitions(status.Device)
            .Select(device => FindMount(device) ?? FindSwap(device) ?? FindHolder(device))
            .FirstOrDefault(use => use is not null);
    }

    /// <summary>Says which loop device, itself perhaps mounted, a regular file is the content of.</summary>
    /// <remarks>The kernel would let it be written over.</remarks>
    /// <returns>Words for a message, such as <c>it is attached to /dev/loop0</c>; null when it is to none.</returns>
    /// <exception cref="PosixException">The file, or that of a device, could not be looked up.</exception>
    public static string? FindLoop(string path) =>
        FileStatus.Find(path, followLink: true) is { Kind: FileKind.Regular } status
            && DeviceTree.LoopsOn(status).FirstOrDefault() is { } loop
            ? $"it is attached to /dev/{loop}"
            : null;

    // A file system over several devices (btrfs) has a number of its own, so its source is compared too.
    private static string? FindMount(DeviceNumber device) => MountMap.Read().Mounts
        .Where(mount => mount.FileSystem == device || IsDevice(mount.Source, device))
        .Select(mount => $"{mount.Source} is mounted at {mount.Point}")
        .FirstOrDefault();

    private static string? FindSwap(DeviceNumber device)
    {
        const string Swaps = "/proc/swaps";
        return FileStatus.Find(Swaps, followLink: true) is null
            ? null
            : File.ReadLines(Swaps)
                .Skip(1)
                .Select(line => MountMap.Unescape(line.Split(' ', '\t')[0]))
                .Where(path => IsDevice(path, device))
                .Select(path => $"{path} is used as swap")
                .FirstOrDefault();
    }

    private static string? FindHolder(DeviceNumber device) =>
        DeviceTree.Holders(device).FirstOrDefault() is { } holder ? $"it is part of /dev/{Path.GetFileName(holder)}" : null;

    private static bool IsDevice(string path, DeviceNumber device) =>
        path.StartsWith('/')
        && FileStatus.Find(path, followLink: true) is { Kind: FileKind.BlockDevice } status
        && status.Device == device;
}
