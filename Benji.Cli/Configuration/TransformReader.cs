using Benji.Cli.Configuration.Yaml;
using Benji.Store;

namespace Benji.Cli.Configuration;

/// <summary>A configured transform: a compression level, or a key.</summary>
/// <param name="Level">The zstd level; null for encryption.</param>
/// <param name="Key">The key; null for compression.</param>
internal sealed record TransformEntry(int? Level, KeyOptions? Key);

/// <summary>Reads the <c>transforms</c> list.</summary>
internal static class TransformReader
{
    // The store's own default (docs/format.md): the level that a backup can afford on every block.
    private const int LevelDefault = 1;
    private const int LevelMax = 22;

    private static readonly string[] Modules = ["zstd", "aes_256_gcm", "aes_256_gcm_ecc"];

    /// <summary>Returns the transforms by name.</summary>
    public static Dictionary<string, TransformEntry> Read(Section root, SecretReader secrets) =>
        ModuleEntry.ReadList(root, "transforms", Modules)
            .ToDictionary(entry => entry.Name, entry => Read(entry, secrets));

    private static TransformEntry Read(ModuleEntry entry, SecretReader secrets)
    {
        var section = entry.Configuration;
        switch (entry.Module)
        {
            case "zstd":
                if (section.Has("dictDataFile"))
                {
                    throw section.Error("dictDataFile", "zstd dictionaries are not supported; remove 'dictDataFile'.");
                }

                var level = checked((int)section.Number("level", LevelDefault, 1, LevelMax));
                section.End();
                return new TransformEntry(level, null);
            case "aes_256_gcm":
                // The key is read once, here, so that a mistake in it shows whether or not a storage uses it.
                var key = KeyReader.Read(section, secrets);
                section.End();
                return new TransformEntry(null, key);
            default:
                throw section.Place.Error(
                    "transform module 'aes_256_gcm_ecc' is not available in this release; use 'aes_256_gcm'.");
        }
    }
}
