using Benji.Store;

namespace Benji.Cli.Configuration;

/// <summary>What the program runs with, and where it came from.</summary>
internal sealed record LoadedConfiguration
{
    /// <summary>The options of the store.</summary>
    public required StoreOptions Store { get; init; }

    /// <summary>The file it came from; null when there was none.</summary>
    public required string? File { get; init; }

    /// <summary>The directory that holds everything where there is no file; null where there is one.</summary>
    public required string? Home { get; init; }

    /// <summary>The path of the log file; null for none.</summary>
    public string? LogFile { get; init; }

    /// <summary>What a person should know: settings that are accepted and have no effect. Never holds a secret.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
