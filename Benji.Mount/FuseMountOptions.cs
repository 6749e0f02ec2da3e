using Benji.Store.Model;

namespace Benji.Mount;

/// <summary>Where and how the images are mounted.</summary>
public sealed record FuseMountOptions
{
    /// <summary>An existing directory, absolute; symbolic links are followed. The caller has checked that it is no directory of the store.</summary>
    public required string MountPoint { get; init; }

    /// <summary>What the table of mounts shows as the source.</summary>
    public string Source { get; init; } = "benji";

    /// <summary>True when no overlay can be made, written or removed through the mount.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>True when users other than the mounting one may look inside, as far as modes allow.</summary>
    public bool AllowOther { get; init; }

    /// <summary>Owner of all files; null for the mounting user.</summary>
    public uint? Uid { get; init; }

    /// <summary>Group of all files; null for that of the mounting user.</summary>
    public uint? Gid { get; init; }

    /// <summary>Permissions taken away: from 0444 of versions, 0666 of overlays, 0777 of directories.</summary>
    public uint Umask { get; init; } = 0x3F; // 077

    /// <summary>Threads that read requests, 1 to <see cref="ReadersMost"/>; null for as many as fit the machine.</summary>
    public int? Readers { get; init; }

    /// <summary>Bytes that the kernel reads ahead in a file, set where the mounting user may; null for its default.</summary>
    public int? ReadAhead { get; init; } = 1024 * 1024;

    /// <summary>Time between two looks for new and removed images.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The most threads that read requests.</summary>
    public const int ReadersMost = 64;

    /// <summary>Refuses values out of their ranges.</summary>
    /// <exception cref="UsageException">One is.</exception>
    internal void Check()
    {
        if (!Path.IsPathRooted(MountPoint) || MountPoint.Contains('\0', StringComparison.Ordinal))
        {
            throw new UsageException($"Mount point {Names.Show(MountPoint)} is not an absolute path.");
        }

        if (Source.Length == 0 || Source.AsSpan().ContainsAny(",\\\0\n"))
        {
            throw new UsageException($"Source {Names.Show(Source)} cannot stand in the table of mounts.");
        }

        if (Readers is < 1 or > ReadersMost)
        {
            throw new UsageException($"{Readers} threads cannot read requests: use 1 to {ReadersMost}.");
        }

        if (Umask > 0x1FF)
        {
            throw new UsageException("The umask has more than the permissions 0777.");
        }
    }
}
