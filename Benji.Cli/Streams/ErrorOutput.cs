using System.Text;

namespace Benji.Cli.Streams;

/// <summary>Standard error: whole lines and, at a terminal, one live line below them.</summary>
/// <remarks>Safe for concurrent calls. A failure to write is left out on purpose: there is nowhere to tell it, and it must
/// not end a backup.</remarks>
internal sealed class ErrorOutput
{
    // Goes to the line's start and erases what is there.
    private const string EraseLine = "\r\u001b[K";

    private readonly Lock _writing = new();
    private readonly Stream _stream;
    private readonly Func<int> _width;
    private string _live = "";

    /// <summary>Writes to <paramref name="stream"/>, which stays open.</summary>
    /// <param name="stream">Receives UTF-8.</param>
    /// <param name="isTerminal">True when a person watches, so that a line may be redrawn.</param>
    /// <param name="width">Returns the columns of the terminal; called only where there is one.</param>
    /// <param name="hasColor">True when lines may be coloured.</param>
    public ErrorOutput(Stream stream, bool isTerminal, Func<int> width, bool hasColor)
    {
        _stream = stream;
        IsTerminal = isTerminal;
        _width = width;
        HasColor = hasColor;
    }

    /// <summary>True when a person watches.</summary>
    public bool IsTerminal { get; }

    /// <summary>Columns of the terminal now, at least 20.</summary>
    public int Width => IsTerminal ? Math.Max(_width(), 20) : 80;

    /// <summary>True when lines may be coloured.</summary>
    public bool HasColor { get; }

    /// <summary>Writes a line above the live one.</summary>
    public void WriteLine(string line)
    {
        lock (_writing)
        {
            Write(_live.Length == 0 ? $"{line}\n" : $"{EraseLine}{line}\n{_live}");
        }
    }

    /// <summary>Replaces the live line; an empty text takes it away. Does nothing where there is no terminal.</summary>
    /// <param name="text">Cut so that it does not wrap.</param>
    public void ShowLive(string text)
    {
        if (!IsTerminal)
        {
            return;
        }

        lock (_writing)
        {
            var width = Width;
            var cut = text.Length < width ? text : text[..(width - 1)];
            if (cut == _live)
            {
                return;
            }

            _live = cut;
            Write($"{EraseLine}{cut}");
        }
    }

    private void Write(string text)
    {
        try
        {
            _stream.Write(Encoding.UTF8.GetBytes(text));
            _stream.Flush();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Standard error is closed or full; the exit code still tells the outcome.
            _live = "";
        }
    }
}
