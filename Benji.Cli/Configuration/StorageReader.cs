using Benji.Cli.Configuration.Yaml;
using Benji.Store;

namespace Benji.Cli.Configuration;

/// <summary>Reads the <c>storages</c> list.</summary>
internal sealed class StorageReader(
    IReadOnlyDictionary<string, TransformEntry> transforms, string baseDirectory, List<string> warnings)
{
    private const int SimultaneousMax = 1000;
    private const int TransformsMax = 2;

    private static readonly string[] Modules = ["file", "s3", "b2"];

    /// <summary>Returns the storages, at least one.</summary>
    public IReadOnlyList<StorageOptions> Read(Section root)
    {
        var entries = ModuleEntry.ReadList(root, "storages", Modules);
        return entries.Count > 0
            ? [.. entries.Select(Read)]
            : throw root.Error("storages", $"{root.Name} needs 'storages' with at least one item.");
    }

    private StorageOptions Read(ModuleEntry entry)
    {
        if (entry.Module != "file")
        {
            throw entry.Place.Error($"storage module '{entry.Module}' is not available in this release; use 'file'.");
        }

        var section = entry.Configuration;
        var (level, key) = ActiveTransforms(section);
        var options = new StorageOptions
        {
            Name = entry.Name,
            Path = Path.GetFullPath(section.RequiredText("path"), baseDirectory),
            ZstdLevel = level,
            Key = key,
            SimultaneousReads = checked((int)section.Number("simultaneousReads", 3, 1, SimultaneousMax)),
            SimultaneousWrites = checked((int)section.Number("simultaneousWrites", 3, 1, SimultaneousMax)),
            BandwidthRead = section.Number("bandwidthRead", 0, 0, long.MaxValue),
            BandwidthWrite = section.Number("bandwidthWrite", 0, 0, long.MaxValue),
            ConsistencyCheckWrites = section.Flag("consistencyCheckWrites", fallback: false),
        };

        // Removals are done one after another; the original's limit of them is met by that.
        section.Number("simultaneousRemovals", 5, 1, SimultaneousMax);
        CheckHmac(section, key);
        section.End();
        return options;
    }

    private (int? Level, KeyOptions? Key) ActiveTransforms(Section section)
    {
        int? level = null;
        KeyOptions? key = null;
        foreach (var node in section.List("activeTransforms", TransformsMax))
        {
            if (node is not ScalarNode { Text: var name } || !transforms.TryGetValue(name, out var transform))
            {
                throw node.Place.Error("an item of 'activeTransforms' must be the name of an item of 'transforms'.");
            }

            if ((transform.Level is null && key is not null) || (transform.Key is null && level is not null))
            {
                throw node.Place.Error("'activeTransforms' may name one compression and one encryption.");
            }

            level ??= transform.Level;
            key ??= transform.Key;
        }

        return (level, key);
    }

    // With encryption everything is authenticated anyway. Without it there is no key to authenticate with, so leaving
    // the setting aside would weaken what the configuration asks for.
    private void CheckHmac(Section section, KeyOptions? key)
    {
        if (section.Map("hmac") is not { } hmac)
        {
            return;
        }

        foreach (var known in new[] { "key", "password", "passwordFile", "passwordCommand", "kdfSalt", "kdfIterations" })
        {
            hmac.Text(known);
        }

        hmac.End();
        if (key is null)
        {
            throw hmac.Place.Error(
                "'hmac' is not available without encryption; add an 'aes_256_gcm' transform, which authenticates too.");
        }

        warnings.Add($"{hmac.Place}: 'hmac' has no effect: an encrypted storage is always authenticated.");
    }
}
