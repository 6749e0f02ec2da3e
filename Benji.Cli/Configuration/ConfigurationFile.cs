using Benji.Cli.Configuration.Yaml;
using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Sources;

namespace Benji.Cli.Configuration;

/// <summary>Reads a configuration file: the keys of the original, as far as they mean something here.</summary>
/// <remarks>Relative paths start from the file's directory.</remarks>
internal sealed class ConfigurationFile
{
    private const string Hash = "BLAKE2b,digest_bits=256";
    private const string LiteDbScheme = "litedb://";
    private const int DaysMax = 100_000;
    private const int SimultaneousMax = 1000;

    private static readonly string[] IoModules = ["file", "null", "rbd", "rbdaio", "iscsi"];

    private readonly List<string> _warnings = [];
    private readonly string _baseDirectory;
    private readonly Section _root;
    private readonly SecretReader _secrets;

    private ConfigurationFile(MapNode root, string baseDirectory, Surroundings surroundings)
    {
        _root = new Section(root, "the configuration");
        _baseDirectory = baseDirectory;
        _secrets = new SecretReader(surroundings, baseDirectory);
    }

    /// <summary>Reads a file's bytes.</summary>
    /// <param name="file">Its absolute path.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="surroundings">Where secrets come from.</param>
    /// <exception cref="ConfigurationException">Something in it is wrong; the message starts with the place.</exception>
    public static LoadedConfiguration Read(string file, byte[] content, Surroundings surroundings) =>
        new ConfigurationFile(YamlReader.Read(file, content), Path.GetDirectoryName(file) ?? "/", surroundings).Read(file);

    private LoadedConfiguration Read(string file)
    {
        CheckVersion();
        CheckHash();
        _root.Text("processName");
        var catalog = CatalogPath();
        var storages = new StorageReader(TransformReader.Read(_root, _secrets), _baseDirectory, _warnings).Read(_root);
        var store = new StoreOptions
        {
            CatalogPath = catalog,
            OverlayDirectory = OverlayDirectory() ?? Path.Combine(Path.GetDirectoryName(catalog) ?? "/", "overlays"),
            Storages = storages,
            DefaultStorage = DefaultStorage(storages),
            BlockSize = BlockSize(),
            DisallowRemoveWhenYounger = TimeSpan.FromDays(_root.Number("disallowRemoveWhenYounger", 6, 0, DaysMax)),
            CleanupGracePeriod = TimeSpan.FromHours(_root.Number("cleanupGraceHours", 1, 0, 24L * DaysMax)),
            Sources = new SourceOpener(Ios()),
        };
        var logFile = _root.Text("logFile");
        _root.End();
        return new LoadedConfiguration
        {
            Store = store,
            File = file,
            Home = null,
            LogFile = logFile is null ? null : FullPath(logFile),
            Warnings = [.. _warnings, .. _secrets.Warnings],
        };
    }

    private void CheckVersion()
    {
        if (_root.RequiredText("configurationVersion") != "1")
        {
            throw _root.Error("configurationVersion", "'configurationVersion' must be '1'.");
        }
    }

    private void CheckHash()
    {
        var hash = _root.Text("hashFunction");
        if (hash is not null && hash.Replace(" ", "", StringComparison.Ordinal) != Hash)
        {
            throw _root.Error("hashFunction", $"the only 'hashFunction' is '{Hash}'; the line can be left out.");
        }
    }

    private string CatalogPath()
    {
        var engine = _root.RequiredText("databaseEngine");
        if (engine.StartsWith(LiteDbScheme + "/", StringComparison.Ordinal))
        {
            return FullPath("/" + engine[LiteDbScheme.Length..].TrimStart('/'));
        }

        throw _root.Error(
            "databaseEngine",
            engine.StartsWith("sqlite", StringComparison.OrdinalIgnoreCase)
                ? "SQLite is not supported; use 'databaseEngine: litedb:///PATH' with a path of its own."
                : "'databaseEngine' must be 'litedb:///PATH'.");
    }

    private string DefaultStorage(IReadOnlyList<StorageOptions> storages)
    {
        var name = _root.Text("defaultStorage") ?? (storages.Count == 1 ? storages[0].Name : null);
        return name is not null && storages.Any(storage => storage.Name == name)
            ? name
            : throw _root.Error("defaultStorage", "'defaultStorage' must be the name of an item of 'storages'.");
    }

    private int BlockSize()
    {
        var size = _root.Number(
            "blockSize", BlockGeometry.BlockSizeDefault, BlockGeometry.BlockSizeMin, BlockGeometry.BlockSizeMax);
        return long.IsPow2(size)
            ? checked((int)size)
            : throw _root.Error("blockSize", "'blockSize' must be a power of two.");
    }

    private IReadOnlyDictionary<string, IoOptions> Ios()
    {
        if (!_root.Has("ios"))
        {
            return IoOptions.Default;
        }

        var ios = new Dictionary<string, IoOptions>();
        foreach (var entry in ModuleEntry.ReadList(_root, "ios", IoModules))
        {
            if (entry.Module is not ("file" or "null"))
            {
                _warnings.Add(
                    $"{entry.Place}: module '{entry.Module}' is not available in this release; '{entry.Name}:' is not known.");
                continue;
            }

            ios[entry.Name] = new IoOptions
            {
                Module = entry.Module == "file" ? IoModule.File : IoModule.Null,
                SimultaneousReads = checked((int)entry.Configuration.Number("simultaneousReads", 3, 1, SimultaneousMax)),
                SimultaneousWrites = checked((int)entry.Configuration.Number("simultaneousWrites", 3, 1, SimultaneousMax)),
            };
            entry.Configuration.End();
        }

        return ios;
    }

    // The original's directory of changes written through NBD is where overlays stand here.
    private string? OverlayDirectory()
    {
        if (_root.Map("nbd") is not { } nbd)
        {
            return null;
        }

        if (nbd.Map("blockCache") is { } cache)
        {
            cache.Text("directory");
            cache.Number("maximumSize", 0, 0, long.MaxValue);
            cache.End();
            _warnings.Add($"{cache.Place}: 'blockCache' has no effect in this release.");
        }

        var overlays = nbd.Map("cowStore");
        var directory = overlays?.Text("directory");
        overlays?.End();
        nbd.End();
        return directory is null ? null : FullPath(directory);
    }

    private string FullPath(string path) => Path.GetFullPath(path, _baseDirectory);
}
