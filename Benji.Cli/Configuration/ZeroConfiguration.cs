using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Sources;

namespace Benji.Cli.Configuration;

/// <summary>Makes the options where there is no configuration file: one directory, one storage, a key if variables say so.</summary>
internal static class ZeroConfiguration
{
    /// <summary>The variable that names the directory.</summary>
    public const string HomeVariable = "BENJI_HOME";

    /// <summary>The name of the one storage.</summary>
    public const string StorageName = "storage";

    /// <summary>The variables that name a key, exactly one of which makes a new store an encrypted one.</summary>
    public static readonly string[] KeyVariables = [KeyFile, PasswordFile, PasswordCommand];

    private const string KeyFile = "BENJI_KEY_FILE";
    private const string PasswordFile = "BENJI_PASSWORD_FILE";
    private const string PasswordCommand = "BENJI_PASSWORD_COMMAND";

    /// <summary>Reads the variables.</summary>
    /// <exception cref="ConfigurationException">No directory can be named, or a key cannot be got.</exception>
    public static LoadedConfiguration Read(Surroundings surroundings)
    {
        var home = Home(surroundings);
        var secrets = new SecretReader(surroundings, surroundings.CurrentDirectory);
        var key = Key(surroundings, secrets);
        return new LoadedConfiguration
        {
            Warnings = secrets.Warnings,
            File = null,
            Home = home,
            Store = new StoreOptions
            {
                CatalogPath = Path.Combine(home, "catalog.db"),
                OverlayDirectory = Path.Combine(home, "overlays"),
                Storages =
                [
                    new StorageOptions
                    {
                        Name = StorageName,
                        Path = Path.Combine(home, "storage"),
                        Key = key,
                    },
                ],
                DefaultStorage = StorageName,
                Sources = new SourceOpener(IoOptions.Default),
            },
        };
    }

    /// <summary>Returns a variable that is set and not empty, or null.</summary>
    public static string? Variable(Surroundings surroundings, string name) =>
        surroundings.Variable(name) is { Length: > 0 } value ? value : null;

    private static string Home(Surroundings surroundings)
    {
        if (Variable(surroundings, HomeVariable) is { } home)
        {
            return Path.GetFullPath(home, surroundings.CurrentDirectory);
        }

        if (surroundings.IsRoot)
        {
            return "/var/lib/benji";
        }

        // A relative XDG_DATA_HOME is to be ignored: XDG Base Directory Specification, "Basics".
        if (Variable(surroundings, "XDG_DATA_HOME") is { } data && Path.IsPathRooted(data))
        {
            return Path.Combine(data, "benji");
        }

        return Variable(surroundings, "HOME") is { } user
            ? Path.GetFullPath(Path.Combine(user, ".local/share/benji"), surroundings.CurrentDirectory)
            : throw new ConfigurationException(
                $"There is no configuration file and no place for data: none of {HomeVariable}, XDG_DATA_HOME and HOME is set.");
    }

    private static KeyOptions? Key(Surroundings surroundings, SecretReader secrets)
    {
        var given = KeyVariables.Where(name => Variable(surroundings, name) is not null).ToList();
        if (given.Count == 0)
        {
            return null;
        }

        if (given.Count > 1)
        {
            throw new ConfigurationException($"Only one of {string.Join(", ", given)} may be set.");
        }

        var value = Variable(surroundings, given[0])!;
        return given[0] switch
        {
            KeyFile => KeyReader.OfMasterKey(secrets.OfFile(value, Error), Error),
            PasswordFile => KeyReader.OfPassword(secrets.OfFile(value, Error), Error),
            _ => KeyReader.OfPassword(secrets.OfCommand(value, Error), Error),
        };

        ConfigurationException Error(string message) => new($"{given[0]}: {message}");
    }
}
