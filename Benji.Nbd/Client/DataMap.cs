using Benji.Nbd.Protocol;
using Benji.Store.Model;

namespace Benji.Nbd.Client;

/// <summary>The runs of an export that a metadata context marks, asked for once before its bytes are: what may hold anything
/// but zeros, or what has changed.</summary>
/// <remarks>Immutable and safe for concurrent calls. 16 bytes a run; where there are more than a bound, and where the server
/// cannot tell, the rest of the export counts as marked, which is right if slower.</remarks>
internal sealed class DataMap
{
    /// <summary>The context that tells where zeros are: proto.md, "base:allocation metadata context".</summary>
    public const string Context = "base:allocation";

    // Of qemu's bitmaps and of Benji's maps of changes: proto.md, "Metadata querying" leaves it to the context.
    private const uint ChangedFlag = 1;

    // 64 MiB of runs.
    private const int RunsMax = 4 * 1024 * 1024;

    // Replies that say less than they were asked; a server that tells of a byte at a time would never end.
    private const int ShortRepliesMax = 256 * 1024;

    // The longest range of one request that every server takes.
    private const long RequestMax = 1L << 30;

    private readonly List<(long Offset, long End)> _runs = [];

    private DataMap()
    {
    }

    /// <summary>All runs, in order.</summary>
    public IEnumerable<Extent> Runs => _runs.Select(run => new Extent(run.Offset, run.End - run.Offset, ExtentKind.Data));

    /// <summary>Asks where data is in the whole export, on a connection that has nothing else under way; waits on the
    /// calling thread.</summary>
    /// <returns>All of it when the context was not agreed on.</returns>
    /// <exception cref="NbdProtocolException">The server sent what the protocol does not allow.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public static DataMap Read(Stream stream, NegotiatedExport export) =>
        Read(stream, export, Context, static flags => ((AllocationFlags)flags & AllocationFlags.Zero) == 0);

    /// <summary>Asks as <see cref="Read(Stream, NegotiatedExport)"/> does what a context marks as changed.</summary>
    /// <exception cref="NotFoundException">The export has no such context.</exception>
    public static DataMap ReadChanges(Stream stream, NegotiatedExport export, string context) =>
        export.Contexts.Values.Contains(context)
            ? Read(stream, export, context, static flags => (flags & ChangedFlag) != 0)
            : throw new NotFoundException($"The export has no metadata context {Names.Show(context)}.");

    private static DataMap Read(Stream stream, NegotiatedExport export, string context, Func<uint, bool> isMarked)
    {
        var map = new DataMap();
        var size = export.Info.ExportSize;
        if (!export.Contexts.Values.Contains(context))
        {
            map.Add(0, size);
            return map;
        }

        var id = export.Contexts.First(pair => pair.Value == context).Key;
        var extents = new List<StatusExtent>();
        var shortReplies = 0;
        for (var offset = 0L; offset < size;)
        {
            var length = Math.Min(RequestMax, size - offset);
            if (map._runs.Count >= RunsMax || shortReplies >= ShortRepliesMax
                || !ReadOnce(stream, export, id, offset, length, extents))
            {
                map.Add(offset, size);
                return map;
            }

            var asked = offset + length;

            foreach (var extent in extents)
            {
                var end = Math.Min(size, offset + extent.Length);
                if (isMarked(extent.Flags))
                {
                    map.Add(offset, end);
                }

                offset = end;
            }

            shortReplies += offset < asked ? 1 : 0;
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
        Stream stream, NegotiatedExport export, uint context, long offset, long length, List<StatusExtent> extents)
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

        extents.AddRange(request.Extents.GetValueOrDefault(context)
            ?? throw new NbdProtocolException("The reply to a BLOCK_STATUS has no extents."));
        return true;
    }
}
