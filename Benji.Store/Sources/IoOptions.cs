namespace Benji.Store.Sources;

/// <summary>The kinds of sources and targets that are built in.</summary>
public enum IoModule
{
    /// <summary>Regular files and block devices, by their paths.</summary>
    File,

    /// <summary>A target that keeps nothing.</summary>
    Null,
}

/// <summary>One <c>ios</c> entry of the configuration: what the scheme of its name opens.</summary>
public sealed record IoOptions
{
    /// <summary>What the scheme opens.</summary>
    public required IoModule Module { get; init; }

    /// <summary>Reads of one source under way at once.</summary>
    public int SimultaneousReads { get; init; } = 3;

    /// <summary>Writes of one target under way at once.</summary>
    public int SimultaneousWrites { get; init; } = 3;

    /// <summary>The entries without a configuration: <c>file</c> and <c>null</c>.</summary>
    public static IReadOnlyDictionary<string, IoOptions> Default { get; } = new Dictionary<string, IoOptions>
    {
        ["file"] = new() { Module = IoModule.File },
        ["null"] = new() { Module = IoModule.Null },
    };
}
