using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Mount.Session.Files;
using Benji.Mount.Tree;
using Benji.Store.Images;
using Benji.Store.Model;

namespace Benji.Mount.Session.Handlers;

/// <summary>What is done to ranges of files: zeroing, finding data and holes, copying a base over its overlay.</summary>
internal sealed class RangeHandler(HandlerParts parts)
{
    private const uint SeekData = 3; // SEEK_DATA
    private const uint KeepSize = 1; // FALLOC_FL_KEEP_SIZE
    private const uint PunchHole = 2; // FALLOC_FL_PUNCH_HOLE
    private const uint ZeroRange = 16; // FALLOC_FL_ZERO_RANGE
    private const int ExtentsMax = 64;
    private const long Unit = 4096;

    // The count of the older copy request has 32 bits; whole units below that.
    private const long CopyMax32 = (1L << 31) - Unit;

    private delegate ValueTask FileWork(OpenFile file, CancellationToken cancellationToken);

    /// <summary>Zeroes a range, giving its space free or keeping it, within the size, as on a block device.</summary>
    public void Allocate(ref Request request)
    {
        var wanted = request.Body.Take<AllocateRequest>();
        var header = request.Header;
        var mayFreeSpace = wanted.Mode == (PunchHole | KeepSize);
        if (!mayFreeSpace && (wanted.Mode & ~KeepSize) != ZeroRange)
        {
            parts.Replies.SendError(header, Errno.NotSupported);
            return;
        }

        var canShorten = (wanted.Mode & KeepSize) != 0;
        WithFile(header, async (file, token) =>
        {
            if (file.Writable is not { } writable || parts.IsReadOnly)
            {
                parts.Replies.SendError(header, Errno.ReadOnlyFileSystem);
                return;
            }

            var size = (ulong)writable.Size;
            var isInside = wanted.Offset < size && wanted.Length <= size - wanted.Offset;
            if (wanted.Offset >= size || wanted.Length == 0 || (!isInside && !canShorten))
            {
                parts.Replies.SendError(header, Errno.Invalid);
                return;
            }

            var length = (long)Math.Min(wanted.Length, size - wanted.Offset);
            await writable.ZeroAsync((long)wanted.Offset, length, mayFreeSpace, token);
            parts.Replies.SendDone(header);
        });
    }

    /// <summary>Finds the next data or hole; behind the last data is the hole at the end of each file.</summary>
    public void Seek(ref Request request)
    {
        var wanted = request.Body.Take<SeekRequest>();
        var header = request.Header;
        WithFile(header, async (file, token) =>
        {
            var size = file.Image.Size;
            if (wanted.Offset >= (ulong)size)
            {
                parts.Replies.SendError(header, Errno.NoSuchAddress);
                return;
            }

            var isData = wanted.Whence == SeekData;
            if (await FindAsync(file.Image, (long)wanted.Offset, isData, token) is { } found)
            {
                parts.Replies.Send(header, new SeekReply { Offset = (ulong)found });
            }
            else if (isData)
            {
                parts.Replies.SendError(header, Errno.NoSuchAddress);
            }
            else
            {
                parts.Replies.Send(header, new SeekReply { Offset = (ulong)size });
            }
        });
    }

    /// <summary>Copies a range of a version over the same range of an overlay of it, which takes no time: the overlay shows
    /// its base there again. Any other copy the kernel does by reading and writing.</summary>
    public void CopyRange(ref Request request, bool has64Bits)
    {
        var wanted = request.Body.Take<CopyRangeRequest>();
        var header = request.Header;
        if (parts.IsReadOnly
            || parts.FindNode(header.Node)?.Entry is not { } source
            || parts.FindNode(wanted.TargetNode) is not { Kind: NodeKind.Overlay } target
            || target.Entry!.Version.Id != source.Id
            || wanted.SourceOffset != wanted.TargetOffset
            || WholeUnits(wanted, source.Size, has64Bits) is not { } length)
        {
            parts.Replies.SendError(header, Errno.CrossDevice);
            return;
        }

        WithFile(header with { Node = wanted.TargetNode }, async (file, token) =>
        {
            await file.Writable!.RevertAsync((long)wanted.TargetOffset, length, token);
            if (has64Bits)
            {
                parts.Replies.Send(header, new CopyReply64 { Size = (ulong)length });
            }
            else
            {
                parts.Replies.Send(header, new WriteReply { Size = (uint)length });
            }
        });
    }

    /// <summary>Finds the first byte from an offset on that is data, or is in a hole; null when there is none.</summary>
    /// <exception cref="BenjiException">The image cannot be read.</exception>
    public static async ValueTask<long?> FindAsync(
        IImage image, long offset, bool isMarked, CancellationToken cancellationToken)
    {
        var extents = new List<MarkedExtent>(ExtentsMax);
        while (offset < image.Size)
        {
            extents.Clear();
            await image.Allocation.ReadAsync(offset, image.Size - offset, ExtentsMax, extents, cancellationToken);
            foreach (var extent in extents)
            {
                if (extent.IsMarked == isMarked)
                {
                    return extent.Offset;
                }

                offset = extent.End;
            }
        }

        return null;
    }

    // As much of the range, from its start, as whole units cover; null when that is nothing.
    private static long? WholeUnits(in CopyRangeRequest wanted, long size, bool has64Bits)
    {
        if (wanted.SourceOffset % Unit != 0 || wanted.SourceOffset >= (ulong)size)
        {
            return null;
        }

        var rest = size - (long)wanted.SourceOffset;
        var length = (long)Math.Min(wanted.Length, (ulong)rest);
        length = has64Bits ? length : Math.Min(length, CopyMax32);
        length = length == rest ? length : length / Unit * Unit;
        return length == 0 ? null : length;
    }

    private void WithFile(RequestHeader header, FileWork work)
    {
        if (parts.FindNode(header.Node) is not { Entry: not null } node)
        {
            parts.Replies.SendError(header, Errno.Stale);
            return;
        }

        parts.Pending.Queue(header, node.Entry, async token =>
        {
            var file = await parts.Files.EnterAsync(node, token);
            try
            {
                await work(file, token);
            }
            finally
            {
                await parts.Files.ExitAsync(file);
            }
        });
    }
}
