using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Store.Transforms;

namespace Benji.Store.Blocks.Opening;

/// <summary>What a storage is opened with as a store.</summary>
internal sealed record StoreOpening
{
    /// <summary>The configured name of the storage.</summary>
    public required string Name { get; init; }

    /// <summary>The storage; it belongs to the opened store, and to the caller when opening fails.</summary>
    public required IStorage Storage { get; init; }

    /// <summary>The key of an encrypted store, or null for an unencrypted one.</summary>
    public KeyMaterial? Key { get; init; }

    /// <summary>The zstd level of new frames, or null to keep them raw.</summary>
    public int? ZstdLevel { get; init; } = ZstdTransform.LevelDefault;

    /// <summary>True to compress with the system's library where there is one; only golden vectors turn it off.</summary>
    public bool MayUseNativeZstd { get; init; } = true;

    /// <summary>True to make a store of an empty storage.</summary>
    public required bool MayCreate { get; init; }

    /// <summary>The id of the store that the storage must hold; null when the catalog has not met it.</summary>
    public Guid? ExpectedId { get; init; }

    /// <summary>Where the memory of objects comes from.</summary>
    public required BlockBufferPool Pool { get; init; }

    /// <summary>The clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Makes the key of each object; only golden vectors replace the random ones.</summary>
    public Func<ObjectKey> NewKey { get; init; } = ObjectKey.NewRandom;
}
