using System.Text.Json;
using Benji.Store.Model;

namespace Benji.Store.Sources;

/// <summary>Reads change hints as <c>rbd diff --format json</c> prints them: an array of extents.</summary>
/// <remarks>Each element is an object with <c>offset</c> and <c>length</c>, whole numbers of bytes, and <c>exists</c>, a
/// boolean or the string of one. Other members are ignored, so that a later rbd may add some. Elements may come in any
/// order and overlap: what one says exists is read. An empty array says that nothing changed. The file is read once,
/// in pieces; memory follows the extents left after merging.</remarks>
public static class HintReader
{
    /// <summary>The largest file that is read.</summary>
    public const long FileLengthMax = 1L << 30;

    /// <summary>The most elements that are read.</summary>
    public const int ExtentsMax = 50_000_000;

    // Bounds the longest name or value too, since one must fit.
    private const int BufferLength = 64 * 1024;

    /// <summary>Reads the hints in the file at <paramref name="path"/> about a source of <paramref name="size"/> bytes.</summary>
    /// <exception cref="NotFoundException">There is no such file.</exception>
    /// <exception cref="StorageException">It could not be read.</exception>
    /// <exception cref="InputDataException">It is not valid, too large, or an extent ends behind the size.</exception>
    public static HintMap ReadFile(string path, long size)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            return Read(file, path, size);
        }
        catch (Exception cause) when (cause is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new NotFoundException($"Hints file {Names.Show(path)} does not exist.", cause);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"Cannot read hints file {Names.Show(path)}: {cause.Message}", false, cause);
        }
    }

    /// <summary>Reads the hints in <paramref name="stream"/>, to its end, about a source of <paramref name="size"/> bytes.</summary>
    /// <param name="stream">Lent for the call.</param>
    /// <param name="description">What the stream is, for messages.</param>
    /// <param name="size">Bytes in the source that the hints are about.</param>
    /// <exception cref="InputDataException">It is not valid, too large, or an extent ends behind the size.</exception>
    public static HintMap Read(Stream stream, string description, long size) =>
        Read(stream, description, size, FileLengthMax);

    internal static HintMap Read(Stream stream, string description, long size, long lengthMax)
    {
        Invariant.Holds(size is >= 0 and <= BlockGeometry.SizeMax);
        var parser = new HintParser(description, size);
        try
        {
            Feed(stream, description, parser, lengthMax);
        }
        catch (JsonException cause)
        {
            throw new InputDataException(
                $"Hints {Names.Show(description)} are not valid JSON: line {cause.LineNumber + 1}, " +
                $"byte {cause.BytePositionInLine + 1}, behind extent {parser.Index}.",
                cause);
        }
        catch (InvalidOperationException cause)
        {
            // The reader's only failure of this kind: an escape that is half of a surrogate pair.
            throw new InputDataException(
                $"Hints {Names.Show(description)} hold a text that is no Unicode, behind extent {parser.Index}.", cause);
        }

        return parser.Finish();
    }

    private static void Feed(Stream stream, string description, HintParser parser, long lengthMax)
    {
        var buffer = new byte[BufferLength];
        var state = new JsonReaderState(new JsonReaderOptions { MaxDepth = 16 });
        var held = 0;
        var total = 0L;
        while (true)
        {
            var count = stream.Read(buffer, held, buffer.Length - held);
            total += count;
            held += count;
            if (total > lengthMax)
            {
                throw new InputDataException(
                    $"Hints {Names.Show(description)} are longer than the {lengthMax} bytes that are read at most.");
            }

            var reader = new Utf8JsonReader(buffer.AsSpan(0, held), isFinalBlock: count == 0, state);
            parser.Parse(ref reader);
            if (count == 0)
            {
                return;
            }

            state = reader.CurrentState;
            var consumed = checked((int)reader.BytesConsumed);
            held -= consumed;
            buffer.AsSpan(consumed, held).CopyTo(buffer);
            if (held == buffer.Length)
            {
                throw new InputDataException(
                    $"Hints {Names.Show(description)} hold a name or value of more than {BufferLength} bytes, " +
                    $"behind extent {parser.Index}.");
            }
        }
    }
}
