using Benji.Nbd.Protocol;
using Benji.Store.Model;

namespace Benji.Nbd.Client;

/// <summary>Where an export may hold anything but zeros, asked for once before its bytes are.</summary>
/// <remarks>Immutable and safe for concurrent calls. 16 bytes a run; where there are more than a bound, the rest of the
/// export counts as data, which is right if slower.</remarks>
internal sealed class DataMap
{
    /// <summary>The context that tells where zeros are: proto.md, "base:allocation metadata context".</summary>
    public const string Context = "base:allocation";

    // 64 MiB of runs.
    private const int RunsMax = 4 * 1024 * 1024;

    // The longest range of one request that every server takes.
    private const long RequestMax = 1L << 30;

    private readonly List<(long Offset, long End)> _runs = [];

    private DataMap()
    {
    }

    /// <summary>Asks for the whole export on a connection that has nothing else under way; waits on the calling thread.</summary>
    /// <returns>All of it as data when the context was not agreed on.</returns>
    /// <exception cref="NbdProtocolException">The server sent what the protocol does not allow.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public static DataMap Read(Stream stream, NegotiatedExport export)
    {
        var map = new DataMap();
        var size = export.Info.ExportSize;
        if (export.Contexts.All(pair => pair.Value != Context))
        {
            map.Add(0, size);
            return map;
        }

        var extents = new List<StatusExtent>();
        for (var offset = 0L; offset < size;)
        {
            if (map._runs.Count >= RunsMax || !ReadOnce(stream, export, offset, Math.Min(RequestMax, size - offset), extents))
            {
                map.Add(offset, size);
                return map;
            }

            foreach (var extent in extents)
            {
                var end = Math.Min(size, offset + extent.Length);
                if (((AllocationFlags)extent.Flags & AllocationFlags.Zero) == 0)
                {
                    map.Add(offset, end);
                }

                offset = end;
            }
        }

        return map;
    }

    /// <summary>Finds the first run at or behind an offset, cut to begin there; null when only zeros follow.</summary>
    public Extent? Find(long offset)
    {
        var low = 0;
        var high = _runs.Count;
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            (low, high) = _runs[middle].End > offset ? (low, middle) : (middle + 1, high);
        }

        if (low == _runs.Count)
        {
            return null;
        }

        var start = Math.Max(offset, _runs[low].Offset);
        return new Extent(start, _runs[low].End - start, ExtentKind.Data);
    }

    private void Add(long offset, long end)
    {
        if (offset == end)
        {
            return;
        }

        if (_runs.Count > 0 && _runs[^1].End == offset)
        {
            _runs[^1] = (_runs[^1].Offset, end);
        }
        else
        {
            _runs.Add((offset, end));
        }
    }

    // Returns false when the server cannot tell.
    private static bool ReadOnce(
        Stream stream, NegotiatedExport export, long offset, long length, List<StatusExtent> extents)
    {
        // Nothing else is under way, so that any number will do.
        const ulong cookie = 1;
        var request = new PendingRequest(
            new RequestHeader(CommandFlags.None, Command.BlockStatus, cookie, (ulong)offset, (uint)length), default);
        var header = new byte[RequestHeader.Size];
        request.Header.Write(header);
        stream.Write(header);
        stream.Flush();
        new ReplyReader(stream, export, asked => asked == cookie ? request : null, static _ => { }).ReadOne(request);
        extents.Clear();
        if (request.Failure is not null)
        {
            return false;
        }

        extents.AddRange(request.Extents.Values.FirstOrDefault()
            ?? throw new NbdProtocolException("The reply to a BLOCK_STATUS has no extents."));
        return true;
    }
}
