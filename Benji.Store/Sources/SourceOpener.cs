using Benji.Store.Model;
using Benji.Store.Posix;
using Benji.Store.Sources.Files;

namespace Benji.Store.Sources;

#pragma warning disable CA2000 // Each wrapper owns what it wraps; the caller owns the wrapper.

/// <summary>Opens addresses by their schemes: the names of the configuration's <c>ios</c> entries.</summary>
/// <remarks>A bare path is a file or device, whatever the entries are called. Safe for concurrent calls.</remarks>
public sealed class SourceOpener(IReadOnlyDictionary<string, IoOptions> ios) : ISourceOpener
{
    private static readonly IoOptions PathOptions = new() { Module = IoModule.File };

    /// <inheritdoc/>
    /// <remarks>An empty file is a source of no bytes.</remarks>
    public ISource OpenSource(string address)
    {
        var parsed = SourceAddress.Parse(address);
        var options = OptionsOf(parsed);
        return options.Module == IoModule.Null
            ? throw new UsageException($"Nothing can be read from {Names.Show(address)}.")
            : new LimitedSource(OpenFileSource(PathOf(parsed)), options.SimultaneousReads);
    }

    /// <inheritdoc/>
    public ITarget OpenTarget(string address, long size, bool force)
    {
        var parsed = SourceAddress.Parse(address);
        var options = OptionsOf(parsed);
        return options.Module == IoModule.Null
            ? new NullTarget(Names.Show(address), size)
            : new LimitedTarget(OpenFileTarget(PathOf(parsed), size, force), options.SimultaneousWrites);
    }

    /// <inheritdoc/>
    public string? FindPath(string address)
    {
        var parsed = SourceAddress.Parse(address);
        return OptionsOf(parsed).Module == IoModule.Null ? null : PathOf(parsed);
    }

    private static ISource OpenFileSource(string path)
    {
        var description = Describe(path);
        return KindOf(path, description, followLink: true) switch
        {
            null => throw new NotFoundException($"{description} does not exist."),
            FileKind.Regular => FileSource.Open(path, description),
            FileKind.BlockDevice => DeviceSource.Open(path, description),
            FileKind.Directory => throw Unfit(description, "read", "a directory"),
            _ => throw Unfit(description, "read", "neither a regular file nor a block device"),
        };
    }

    private static ITarget OpenFileTarget(string path, long size, bool force)
    {
        var description = Describe(path);
        switch (KindOf(path, description, followLink: true))
        {
            case null when KindOf(path, description, followLink: false) is not null:
                throw new AlreadyExistsException($"{description} is a symbolic link to nothing; remove it first.");
            case null:
                return FileTarget.Create(path, description, size);
            case FileKind.Regular:
                FileTarget.RequireUnused(path, description);
                RequireForce(force, $"{description} exists");
                return FileTarget.Overwrite(path, description, size);
            case FileKind.BlockDevice:
                // Use is looked for first: a device in use is refused in the same way with and without force.
                DeviceTarget.RequireUnused(path, description);
                RequireForce(force, $"{description} is a block device, whose content would be lost");
                return DeviceTarget.Open(path, description, size);
            case FileKind.Directory:
                throw Unfit(description, "write", "a directory");
            default:
                throw Unfit(description, "write", "neither a regular file nor a block device");
        }
    }

    private IoOptions OptionsOf(SourceAddress address)
    {
        if (address.Scheme is null)
        {
            return PathOptions;
        }

        if (ios.TryGetValue(address.Scheme, out var options))
        {
            return options;
        }

        throw new UsageException(
            $"Scheme '{address.Scheme}' of {Names.Show(address.ToString())} is not known; known are: " +
            $"{string.Join(", ", ios.Keys.Order(StringComparer.Ordinal))}. Write ./{address} for a path with a colon.");
    }

    private static string PathOf(SourceAddress address) =>
        address.Path is { Length: > 0 } path
            ? path
            : throw new UsageException($"Address {Names.Show(address.ToString())} has no path.");

    // Unlike a name a path is not cut: its end is what tells it from others.
    private static string Describe(string path) => path.Any(char.IsControl) ? Names.Show(path) : $"'{path}'";

    private static FileKind? KindOf(string path, string description, bool followLink)
    {
        try
        {
            return FileStatus.Find(path, followLink)?.Kind;
        }
        catch (PosixException cause)
        {
            throw new StorageException(
                $"Cannot look up {description}: {Errno.Describe(cause.Errno)}.", isTransient: false, cause);
        }
    }

    private static void RequireForce(bool force, string fault)
    {
        if (!force)
        {
            throw new AlreadyExistsException($"{fault}; --force writes over it.");
        }
    }

    private static StorageException Unfit(string description, string verb, string what) =>
        new($"Cannot {verb} {description}: it is {what}.", isTransient: false);
}
