using System.Globalization;
using System.Text;
using Benji.Cli.Output;
using Benji.Store.Model;

namespace Benji.Cli.Logging;

/// <summary>Appends log lines, with their time, to the file that the configuration names.</summary>
/// <remarks>Each line is one write to a file opened for appending, so that several runs may share it. Safe for concurrent
/// calls. What cannot be written is dropped: a full disk under the log must not end a backup.</remarks>
internal sealed class LogFile : ILogWriter, IDisposable
{
    private readonly Lock _writing = new();
    private readonly FileStream _stream;

    /// <summary>Opens or creates the file, readable for its owner only.</summary>
    /// <exception cref="ConfigurationException">It cannot be opened.</exception>
    public LogFile(string path)
    {
        try
        {
            _stream = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.Append,
                Access = FileAccess.Write,
                Share = FileShare.ReadWrite | FileShare.Delete,
                BufferSize = 0,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ConfigurationException($"Could not open logFile {path}: {exception.Message}", exception);
        }
    }

    /// <inheritdoc/>
    public void Write(in LogLine line)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{line.Time:yyyy-MM-ddTHH:mm:ss.ffffffZ} {LogLevels.NameOf(line.Level),7} [{Environment.ProcessId}] "
            + $"{OneLine.Of(line.Message)}");
        var whole = line.Exception is { } exception ? $"{text}\n{exception}\n" : $"{text}\n";
        lock (_writing)
        {
            try
            {
                _stream.Write(Encoding.UTF8.GetBytes(whole));
            }
            catch (IOException)
            {
                // See the remarks; the same line went to standard error.
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();
}
