using System.Globalization;
using Benji.Store.Model;

namespace Benji.Cli.Configuration.Yaml;

/// <summary>A map of the configuration while it is read: hands out typed values and remembers which keys are known.</summary>
/// <remarks>A value of null counts as absent. <see cref="End"/> refuses what nobody asked for. Not safe for concurrent
/// calls.</remarks>
internal sealed class Section(MapNode map, string name)
{
    private readonly SortedSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>What it is, for messages.</summary>
    public string Name { get; } = name;

    /// <summary>Where it starts.</summary>
    public Place Place => map.Place;

    /// <summary>Makes the error of a key's value, or of the section where the key is absent.</summary>
    public ConfigurationException Error(string key, string message) =>
        (map.Entries.TryGetValue(key, out var entry) ? entry.Value.Place : Place).Error(message);

    /// <summary>Says whether a key stands here with a value.</summary>
    public bool Has(string key) => Find(key) is not null;

    /// <summary>Returns a text, or null.</summary>
    public string? Text(string key) =>
        Find(key) switch
        {
            null => null,
            ScalarNode { Text: var text } when !text.Contains('\0', StringComparison.Ordinal) => text,
            var node => throw node.Place.Error($"'{key}' must be a text."),
        };

    /// <summary>Returns a text that must be there and not empty.</summary>
    public string RequiredText(string key) =>
        Text(key) is { Length: > 0 } text ? text : throw Error(key, $"{Name} needs '{key}'.");

    /// <summary>Returns a whole number within its bounds, or <paramref name="fallback"/>.</summary>
    public long Number(string key, long fallback, long min, long max)
    {
        if (Find(key) is not { } node)
        {
            return fallback;
        }

        return node is ScalarNode { Text: var text }
            && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number >= min
            && number <= max
            ? number
            : throw node.Place.Error($"'{key}' must be a whole number from {min} to {max}.");
    }

    /// <summary>Returns a flag, or <paramref name="fallback"/>.</summary>
    public bool Flag(string key, bool fallback) =>
        Find(key) switch
        {
            null => fallback,
            ScalarNode { Text: "true" or "True" or "TRUE" or "yes" or "on" } => true,
            ScalarNode { Text: "false" or "False" or "FALSE" or "no" or "off" } => false,
            var node => throw node.Place.Error($"'{key}' must be true or false."),
        };

    /// <summary>Returns a map of its own, or null.</summary>
    public Section? Map(string key) =>
        Find(key) switch
        {
            null => null,
            MapNode node => new Section(node, $"'{key}'"),
            var node => throw node.Place.Error($"'{key}' must be a map of 'key: value' lines."),
        };

    /// <summary>Returns the items of a list; none when it is absent.</summary>
    public IReadOnlyList<ConfigurationNode> List(string key, int countMax) =>
        Find(key) switch
        {
            null => [],
            ListNode { Items: var items } when items.Count <= countMax => items,
            var node => throw node.Place.Error($"'{key}' must be a list of at most {countMax} items."),
        };

    /// <summary>Refuses the keys that nobody asked for, naming the nearest that is known.</summary>
    public void End()
    {
        foreach (var (key, entry) in map.Entries)
        {
            if (!_known.Contains(key))
            {
                var nearest = NearestKey.Of(key, _known);
                throw entry.KeyPlace.Error(
                    $"key {Names.Show(key)} is not known in {Name}{(nearest is null ? "" : $"; the nearest is '{nearest}'")}.");
            }
        }
    }

    private ConfigurationNode? Find(string key)
    {
        _known.Add(key);
        return map.Entries.TryGetValue(key, out var entry) && entry.Value is not ScalarNode { IsNull: true }
            ? entry.Value
            : null;
    }
}
