using System.Text;
using Benji.Cli.Configuration.Yaml;
using Benji.Store.Model;

namespace Benji.Cli.Configuration;

/// <summary>Gets a secret from where a setting says: the value itself, a file, or a command's output.</summary>
/// <remarks>No message holds a secret, a command or its output.</remarks>
internal sealed class SecretReader(Surroundings surroundings, string baseDirectory)
{
    private const int FileLengthMax = 64 * 1024;

    // 32 zero bytes in base64, which passes as a master key and as a password, and is used as neither.
    private static readonly string StandIn = Convert.ToBase64String(new byte[32]);

    private readonly List<string> _warnings = [];

    /// <summary>The files that others may read, each once, with what to do.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Returns the secret of <paramref name="key"/>, <c>keyFile</c> or <c>keyCommand</c>; null without any.</summary>
    /// <exception cref="ConfigurationException">There is more than one of them, or it cannot be got.</exception>
    public string? Find(Section section, string key)
    {
        var value = section.Text(key);
        var file = section.Text($"{key}File");
        var command = section.Text($"{key}Command");
        if (new[] { value, file, command }.Count(given => given is not null) > 1)
        {
            throw section.Error(key, $"only one of '{key}', '{key}File' and '{key}Command' may be given.");
        }

        if (file is not null)
        {
            return OfFile(file, message => section.Error($"{key}File", message));
        }

        return command is null ? value : OfCommand(command, message => section.Error($"{key}Command", message));
    }

    /// <summary>Returns the one line of a file, without its end.</summary>
    public string OfFile(string path, Func<string, ConfigurationException> error)
    {
        if (!surroundings.ReadsSecrets)
        {
            return StandIn;
        }

        var full = Path.GetFullPath(path, baseDirectory);
        byte[]? content;
        try
        {
            content = surroundings.ReadFile(full, FileLengthMax);
            if (surroundings.FindExposure(full) is { } exposure && !_warnings.Contains(exposure))
            {
                _warnings.Add(exposure);
            }
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw error($"secret file {full} cannot be read: {cause.Message}");
        }

        if (content is null)
        {
            throw error($"secret file {full} does not exist.");
        }

        var text = Encoding.UTF8.GetString(content);
        var line = text.TrimEnd('\n', '\r');
        return content.Length <= FileLengthMax && line.Length > 0 && line.AsSpan().IndexOfAny("\r\n\0") < 0
            ? line
            : throw error($"secret file {full} must hold one line of at most {FileLengthMax} bytes.");
    }

    /// <summary>Returns the first line that a command prints.</summary>
    public string OfCommand(string command, Func<string, ConfigurationException> error)
    {
        try
        {
            return surroundings.ReadsSecrets ? surroundings.RunCommand(command) : StandIn;
        }
        catch (CommandFailedException cause)
        {
            throw error($"the command that prints the secret failed: {cause.Message}.");
        }
    }
}
