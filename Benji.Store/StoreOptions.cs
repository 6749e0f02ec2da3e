using Benji.Store.Model;
using Benji.Store.Sources;

namespace Benji.Store;

/// <summary>Everything a store is opened with: where the catalog, storages and overlays are, and how runs behave.</summary>
/// <remarks>Made from a configuration file or from nothing; the one place where defaults are written down.</remarks>
public sealed record StoreOptions
{
    /// <summary>The path of the LiteDB catalog's main file; its other files stand beside it.</summary>
    public required string CatalogPath { get; init; }

    /// <summary>The directory of overlay files.</summary>
    public required string OverlayDirectory { get; init; }

    /// <summary>The storages by name; at least one.</summary>
    public required IReadOnlyList<StorageOptions> Storages { get; init; }

    /// <summary>The name of the storage that new volumes go to.</summary>
    public required string DefaultStorage { get; init; }

    /// <summary>Bytes per block of a volume's first version.</summary>
    public int BlockSize { get; init; } = BlockGeometry.BlockSizeDefault;

    /// <summary>Removal refuses versions younger than this.</summary>
    public TimeSpan DisallowRemoveWhenYounger { get; init; } = TimeSpan.FromDays(6);

    /// <summary>Cleanup deletes what nothing has needed for so long.</summary>
    public TimeSpan CleanupGracePeriod { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Opens the addresses of sources and targets.</summary>
    public required ISourceOpener Sources { get; init; }

    /// <summary>The places that all these paths make up, where no command writes anything else.</summary>
    public StorePlaces Places => new(this);

    /// <summary>Workers that hash and seal at once.</summary>
    public int Workers { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 8);
}

/// <summary>One storage: where it is, how its blocks are transformed, how hard it may be used.</summary>
public sealed record StorageOptions
{
    /// <summary>The name that versions and commands use.</summary>
    public required string Name { get; init; }

    /// <summary>The directory of a file storage.</summary>
    public required string Path { get; init; }

    /// <summary>True to create the directory and the store when they are not there.</summary>
    public bool MayCreate { get; init; } = true;

    /// <summary>The zstd level 1 to 22, or null for no compression.</summary>
    public int? ZstdLevel { get; init; } = 1;

    /// <summary>The key of an encrypted store, or null for an unencrypted one.</summary>
    public KeyOptions? Key { get; init; }

    /// <summary>Reads under way at once.</summary>
    public int SimultaneousReads { get; init; } = 3;

    /// <summary>Writes under way at once.</summary>
    public int SimultaneousWrites { get; init; } = 3;

    /// <summary>Bytes a second to read at most; 0 for no limit.</summary>
    public long BandwidthRead { get; init; }

    /// <summary>Bytes a second to write at most; 0 for no limit.</summary>
    public long BandwidthWrite { get; init; }

    /// <summary>True to read every block back after it was written and compare it.</summary>
    public bool ConsistencyCheckWrites { get; init; }
}

/// <summary>Where the master key of a store comes from: exactly one of the two.</summary>
/// <remarks>Never printed: <see cref="ToString"/> hides it.</remarks>
public sealed record KeyOptions
{
    /// <summary>32 bytes, or null.</summary>
    public byte[]? MasterKey { get; init; }

    /// <summary>A password of at least 8 bytes, or null.</summary>
    public string? Password { get; init; }

    /// <summary>The salt of the password; null to take the one in <c>store.json</c>, or a new random one at creation.</summary>
    public byte[]? KdfSalt { get; init; }

    /// <summary>The iterations of the password; null as for the salt.</summary>
    public int? KdfIterations { get; init; }

    /// <summary>Returns the type's name only.</summary>
    public override string ToString() => nameof(KeyOptions);
}
