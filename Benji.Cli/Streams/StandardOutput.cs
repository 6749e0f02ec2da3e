using System.Text;
using Benji.Store.Model;

namespace Benji.Cli.Streams;

/// <summary>Standard output: buffered text in UTF-8 without a byte order mark, and the stream below it for JSON.</summary>
/// <remarks>Not safe for concurrent calls. What was written is out after <see cref="Flush"/> only. A reader that went away
/// (<c>benji ls | head</c>) is no failure: the stream below drops what follows.</remarks>
internal sealed class StandardOutput
{
    private const int BufferSize = 32 * 1024;

    private readonly Func<int> _width;
    private StreamWriter? _writer;

    /// <summary>Writes to <paramref name="stream"/>, which stays open.</summary>
    /// <param name="stream">Receives UTF-8.</param>
    /// <param name="isTerminal">True when a person watches.</param>
    /// <param name="hasUnicode">True when the terminal understands UTF-8, as far as the locale tells.</param>
    /// <param name="width">Returns the columns of the terminal; called only where there is one.</param>
    public StandardOutput(Stream stream, bool isTerminal, bool hasUnicode, Func<int> width)
    {
        _width = width;
        HasUnicode = hasUnicode;
        Stream = new BufferedStream(stream, BufferSize);
        IsTerminal = isTerminal;
    }

    /// <summary>True when a person watches.</summary>
    public bool IsTerminal { get; }

    /// <summary>True when lines may be drawn with more than ASCII.</summary>
    public bool HasUnicode { get; }

    /// <summary>Columns of the terminal now; as many as one likes where there is none.</summary>
    public int Width => IsTerminal ? _width() : int.MaxValue;

    /// <summary>Takes bytes; text and bytes are not mixed in one run.</summary>
    public Stream Stream { get; }

    /// <summary>Takes text; lines end with a line feed.</summary>
    public TextWriter Writer =>
        _writer ??= new StreamWriter(Stream, new UTF8Encoding(false), BufferSize / 4, leaveOpen: true) { NewLine = "\n" };

    /// <summary>Writes a line of text.</summary>
    public void WriteLine(string line) => Writer.WriteLine(line);

    /// <summary>Writes text as it is.</summary>
    public void WriteText(string text) => Writer.Write(text);

    /// <summary>Sends what is buffered on its way.</summary>
    /// <exception cref="StorageException">It cannot be written: it is closed, or the disk that it goes to is full.</exception>
    public void Flush()
    {
        try
        {
            _writer?.Flush();
            Stream.Flush();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(
                $"Could not write to standard output: {exception.Message}", isTransient: false, exception);
        }
    }
}
