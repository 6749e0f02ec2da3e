namespace Benji.Cli.Configuration.Yaml;

/// <summary>An item of <c>ios</c>, <c>storages</c> or <c>transforms</c>: a name, a module and the module's settings.</summary>
/// <param name="Name">Unique in its list.</param>
/// <param name="Module">One of the list's modules.</param>
/// <param name="Configuration">The settings; empty where there are none.</param>
/// <param name="Place">Where the item starts.</param>
internal sealed record ModuleEntry(string Name, string Module, Section Configuration, Place Place)
{
    private const int CountMax = 100;
    private const int NameLengthMax = 255;

    /// <summary>Reads a list of them.</summary>
    public static IReadOnlyList<ModuleEntry> ReadList(Section root, string key, IReadOnlyList<string> modules)
    {
        var entries = new List<ModuleEntry>();
        foreach (var node in root.List(key, CountMax))
        {
            var entry = Read(node, key, modules);
            if (entries.Any(other => other.Name == entry.Name))
            {
                throw entry.Place.Error($"'{key}' has two entries with the name '{entry.Name}'.");
            }

            entries.Add(entry);
        }

        return entries;
    }

    private static ModuleEntry Read(ConfigurationNode node, string key, IReadOnlyList<string> modules)
    {
        if (node is not MapNode map)
        {
            throw node.Place.Error($"an item of '{key}' must be a map with 'name' and 'module'.");
        }

        var section = new Section(map, $"an item of '{key}'");
        var name = section.RequiredText("name");
        if (name.Length > NameLengthMax || name.Any(char.IsControl))
        {
            throw section.Error("name", $"a name has at most {NameLengthMax} characters and no control characters.");
        }

        var module = section.RequiredText("module");
        if (!modules.Contains(module))
        {
            throw section.Error(
                "module", $"module is not known in '{key}'; known are: {string.Join(", ", modules)}.");
        }

        if (key == "storages")
        {
            // The original's number of the storage in its own catalog.
            section.Number("storageId", fallback: 0, min: 0, long.MaxValue);
        }

        var configuration = section.Map("configuration")
            ?? new Section(new MapNode(node.Place, new Dictionary<string, MapEntry>()), "'configuration'");
        section.End();
        return new ModuleEntry(name, module, configuration, node.Place);
    }
}
