using Benji.Store.Model;

namespace Benji.Cli.Configuration.Yaml;

/// <summary>Where something stands in a configuration file, counted from 1; for messages.</summary>
internal readonly record struct Place(string File, long Line, long Column)
{
    /// <summary>Makes the error of what stands here.</summary>
    public ConfigurationException Error(string message, Exception? inner = null) => new($"{this}: {message}", inner);

    /// <summary>Returns <c>file:line:column</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{File}:{Line}:{Column}");
}

/// <summary>One value of a configuration file with its place: a scalar, a list or a map.</summary>
internal abstract record ConfigurationNode(Place Place);

/// <summary>A text, number or flag; <paramref name="IsPlain"/> when it stood without quotes.</summary>
internal sealed record ScalarNode(Place Place, string Text, bool IsPlain) : ConfigurationNode(Place)
{
    /// <summary>True for a value that says there is none: empty, <c>~</c> or <c>null</c> without quotes.</summary>
    public bool IsNull => IsPlain && (Text is "" or "~" or "null" or "Null" or "NULL");

    /// <summary>Returns the type's name only: the text may be a secret.</summary>
    public override string ToString() => nameof(ScalarNode);
}

/// <summary>Values in order.</summary>
internal sealed record ListNode(Place Place, IReadOnlyList<ConfigurationNode> Items) : ConfigurationNode(Place);

/// <summary>Values by key, with the places of the keys.</summary>
internal sealed record MapNode(Place Place, IReadOnlyDictionary<string, MapEntry> Entries) : ConfigurationNode(Place);

/// <summary>A key's place and its value.</summary>
internal readonly record struct MapEntry(Place KeyPlace, ConfigurationNode Value);
