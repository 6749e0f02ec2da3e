using Benji.Store.Model;

namespace Benji.Cli.Configuration;

/// <summary>Finds the configuration and reads it: the named file, a default one, or none.</summary>
/// <remarks>In this order: the command line's file; <c>BENJI_CONFIG</c>; unless <c>BENJI_HOME</c> is set the default files;
/// the variables alone.</remarks>
internal static class ConfigurationReader
{
    private const string ConfigVariable = "BENJI_CONFIG";
    private const int FileLengthMax = 1024 * 1024;

    private static readonly string[] SystemFiles = ["/etc/benji.yaml", "/etc/benji/benji.yaml"];
    private static readonly string[] UserFiles = [".config/benji/benji.yaml", ".benji.yaml", "benji.yaml"];

    /// <summary>Reads the configuration of this process.</summary>
    /// <param name="file">The file that the command line names; null for none.</param>
    /// <param name="variable">Returns an environment variable, or null.</param>
    /// <exception cref="ConfigurationException">It is wrong, or a named file does not exist.</exception>
    public static LoadedConfiguration Read(string? file, Func<string, string?> variable) =>
        Read(file, Surroundings.OfProcess(variable));

    /// <summary>Reads the configuration with its surroundings given.</summary>
    /// <exception cref="ConfigurationException">It is wrong, a named file does not exist, or the variable of a key is
    /// empty.</exception>
    /// <exception cref="UsageException">The variable of a place is empty.</exception>
    public static LoadedConfiguration Read(string? file, Surroundings surroundings)
    {
        RefuseEmptyKeys(surroundings);
        if ((file ?? PlaceVariable(surroundings, ConfigVariable)) is { } named)
        {
            return TryRead(Path.GetFullPath(named, surroundings.CurrentDirectory), surroundings)
                ?? throw new ConfigurationException($"Configuration file {Names.Show(named)} does not exist.");
        }

        if (PlaceVariable(surroundings, ZeroConfiguration.HomeVariable) is null)
        {
            foreach (var path in DefaultFiles(surroundings))
            {
                if (TryRead(path, surroundings) is { } found)
                {
                    return found;
                }
            }
        }

        return ZeroConfiguration.Read(surroundings);
    }

    // Such a variable is the trace of one that was not set where it should have been: BENJI_KEY_FILE="$KEY".
    private static void RefuseEmptyKeys(Surroundings surroundings)
    {
        if (ZeroConfiguration.KeyVariables.FirstOrDefault(name => surroundings.Variable(name) is "") is { } empty)
        {
            throw new ConfigurationException(
                $"{empty} is set and empty: give it its value, or unset it for a store without a key.");
        }
    }

    // Taking an empty one for a missing one would mean another place than the one that was meant.
    private static string? PlaceVariable(Surroundings surroundings, string name) =>
        surroundings.Variable(name) is not "" and var value
            ? value
            : throw new UsageException($"{name} is set and empty: give it its value, or unset it for the default places.");

    private static IEnumerable<string> DefaultFiles(Surroundings surroundings)
    {
        var user = ZeroConfiguration.Variable(surroundings, "HOME");
        return user is null || !Path.IsPathRooted(user)
            ? SystemFiles
            : SystemFiles.Concat(UserFiles.Select(path => Path.Combine(user, path)));
    }

    private static LoadedConfiguration? TryRead(string path, Surroundings surroundings)
    {
        byte[]? content;
        try
        {
            content = surroundings.ReadFile(path, FileLengthMax);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"Configuration file {path} cannot be read: {cause.Message}", cause);
        }

        if (content is null)
        {
            return null;
        }

        var loaded = ConfigurationFile.Read(path, content, surroundings);

        // Whoever sets such a variable believes that backups are encrypted by it.
        var unused = ZeroConfiguration.KeyVariables
            .Where(name => ZeroConfiguration.Variable(surroundings, name) is not null)
            .Select(name => $"{name} has no effect, because there is a configuration file: {path}.");
        return loaded with { Warnings = [.. loaded.Warnings, .. unused] };
    }
}
