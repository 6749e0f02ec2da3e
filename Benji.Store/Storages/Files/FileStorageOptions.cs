namespace Benji.Store.Storages.Files;

/// <summary>Where a file storage is and how much of it is used at once.</summary>
internal sealed record FileStorageOptions
{
    /// <summary>The directory that holds the objects; made absolute when the storage is opened.</summary>
    public required string Path { get; init; }

    /// <summary>True to create a missing directory and its missing parents, for their owner only.</summary>
    public bool Create { get; init; }

    /// <summary>False to go to a file directory by directory, as on a kernel before Linux 5.6.</summary>
    public bool MayOpenInOneCall { get; init; } = true;

    /// <summary>Reads worth having under way at once; at least 1.</summary>
    public int SimultaneousReads { get; init; } = 3;

    /// <summary>Writes worth having under way at once; at least 1.</summary>
    public int SimultaneousWrites { get; init; } = 3;
}
