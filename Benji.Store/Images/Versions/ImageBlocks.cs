using System.Collections.Concurrent;
using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Catalogs;
using Benji.Store.Images.Versions.Frames;
using Benji.Store.Model;

namespace Benji.Store.Images.Versions;

/// <summary>What all images of one storage share: its blocks, the frames in memory, and what was found damaged.</summary>
internal sealed class ImageBlocks
{
    /// <summary>How long a storage may take to answer: half the time after which the kernel's NBD client and its like give a
    /// disk up.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<BlockId, bool> _damaged = new();

    /// <summary>The configured name of the storage.</summary>
    public required string Storage { get; init; }

    /// <summary>Its blocks.</summary>
    public required IBlockStore Blocks { get; init; }

    /// <summary>Its map pages.</summary>
    public required IPageSource Pages { get; init; }

    /// <summary>The rows of its blocks.</summary>
    public required ICatalog Catalog { get; init; }

    /// <summary>The frames in memory.</summary>
    public required FrameCache Cache { get; init; }

    /// <summary>Loads frames.</summary>
    public required FrameLoader Loader { get; init; }

    /// <summary>The clock of timeouts.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Told of each damaged block once, with the version in which it was met and what was found.</summary>
    public required Action<BlockId, VersionName, string> OnDamage { get; init; }

    /// <summary>Returns the failure of who has waited for a storage for <see cref="Timeout"/>.</summary>
    public static StorageException NotAnswered(string storage, TimeoutException failure) => new(
        $"Storage {storage} has not answered for {Timeout.TotalSeconds} s.", isTransient: true, failure);

    /// <summary>True when a read has found the block damaged.</summary>
    public bool IsDamaged(BlockId block) => _damaged.ContainsKey(block);

    /// <summary>True when reads have found any block damaged.</summary>
    public bool HasDamage => !_damaged.IsEmpty;

    /// <summary>Notes that a read found a block damaged.</summary>
    public void NoteDamage(BlockId block, VersionName version, string reason)
    {
        if (_damaged.TryAdd(block, true))
        {
            OnDamage(block, version, reason);
        }
    }
}
