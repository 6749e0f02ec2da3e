using System.Runtime.InteropServices;
using Benji.Nbd.Protocol;
using Benji.Nbd.Session.Exports;
using Benji.Store.Images;
using Benji.Store.Model;

namespace Benji.Nbd.Session.Requests;

/// <summary>One request that waits for the store on a thread of the pool; used for one request after another.</summary>
/// <remarks>Belongs to the connection's thread except between <see cref="Begin"/> and the return of its completion.</remarks>
/// <param name="export">What is read and written.</param>
/// <param name="payloads">Lends memory for the data of writes.</param>
/// <param name="clock">Measures how long the store takes.</param>
/// <param name="done">Receives the slot when the request is done or has failed; from any thread, exactly once.</param>
internal sealed class RequestSlot(Export export, BlockBufferPool payloads, TimeProvider clock, Action<RequestSlot> done)
    : IThreadPoolWorkItem, IDisposable
{
    /// <summary>How long the store may take for anything but a flush: less than the 30 s of the kernel's client.</summary>
    public static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(25);

    private const int ExtentsKept = 4096;

    private readonly List<MarkedExtent> _marked = [];
    private CancellationTokenSource _deadline = new(Timeout.InfiniteTimeSpan, clock);
    private ImagePieces _pieces = new();
    private RequestHeader _header;
    private BlockBuffer? _payload;

    /// <summary>The slot that was completed before this one, while it waits in a list.</summary>
    public RequestSlot? Next { get; set; }

    /// <summary>What was asked.</summary>
    public ref readonly RequestHeader Header => ref _header;

    /// <summary>The data that was read.</summary>
    public ref ImagePieces Pieces => ref _pieces;

    /// <summary>Bytes that the request holds of the budget.</summary>
    public long Held { get; private set; }

    /// <summary>Why it failed.</summary>
    public Failure Failure { get; private set; }

    /// <summary>What a failure that is a defect was.</summary>
    public Exception? Defect { get; private set; }

    /// <summary>The extents of all contexts behind each other.</summary>
    public List<StatusExtent> Extents { get; } = [];

    /// <summary>How many extents each context has.</summary>
    public List<int> ExtentCounts { get; } = [];

    /// <summary>Takes a request.</summary>
    /// <param name="header">What is asked.</param>
    /// <param name="held">Bytes taken of the budget.</param>
    public void Prepare(in RequestHeader header, long held)
    {
        (_header, Held, Failure, Defect) = (header, held, default, null);
    }

    /// <summary>Returns room for the data of a WRITE.</summary>
    public Span<byte> RentPayload()
    {
        _payload = payloads.Rent((int)_header.Length);
        return _payload.Span;
    }

    /// <summary>Starts the request; its slot comes back through the completion.</summary>
    public void Begin() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    /// <summary>Gives back what the slot holds of memory.</summary>
    public void Clear()
    {
        _pieces.Clear();
        Extents.Clear();
        ExtentCounts.Clear();
        _marked.Clear();
        if (Extents.Capacity > ExtentsKept)
        {
            (Extents.Capacity, _marked.Capacity) = (0, 0);
        }

        if (_payload is not null)
        {
            // It may be plaintext of a disk.
            _payload.Span.Clear();
            _payload.Dispose();
            _payload = null;
        }
    }

    /// <summary>Ends the timer.</summary>
    public void Dispose()
    {
        Clear();
        _pieces.Dispose();
        _deadline.Dispose();
    }

    /// <inheritdoc/>
    // The task needs no owner: it ends in the completion, which the connection waits for, and throws nothing.
    public void Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        try
        {
            await WorkAsync();
        }
#pragma warning disable CA1031 // The boundary of a request: whatever happened becomes its error reply, defects are logged.
        catch (Exception cause)
#pragma warning restore CA1031
        {
            _pieces.Clear();
            Failure = Failure.Of(cause);
            Defect = Failure.IsDefect(cause) ? cause : null;
        }

        done(this);
    }

    private async ValueTask WorkAsync()
    {
        if (_header.Command == Command.Flush)
        {
            // Its offset and length mean nothing, and may be anything.
            await export.FlushAsync(CancellationToken.None);
            return;
        }

        var offset = (long)_header.Offset;
        var length = (long)_header.Length;
        if (!_deadline.TryReset())
        {
            _deadline.Dispose();
            _deadline = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        }

        _deadline.CancelAfter(StoreTimeout);
        try
        {
            await WorkAsync(offset, length, _deadline.Token);
        }
        finally
        {
            _deadline.CancelAfter(Timeout.InfiniteTimeSpan);
        }

        if ((_header.Flags & CommandFlags.Fua) != 0 && _header.Command is not (Command.Read or Command.BlockStatus))
        {
            await export.FlushAsync(CancellationToken.None);
        }
    }

    private async ValueTask WorkAsync(long offset, long length, CancellationToken cancellationToken)
    {
        switch (_header.Command)
        {
            case Command.Read:
                await export.Image.ReadAsync(offset, (int)length, _pieces, cancellationToken);
                break;
            case Command.Write:
                var image = await export.OpenForWritingAsync(cancellationToken);
                await image.WriteAsync(offset, _payload!.Memory, cancellationToken);
                break;
            case Command.Trim or Command.WriteZeroes:
                var zeroed = await export.OpenForWritingAsync(cancellationToken);
                var mayFreeSpace = (_header.Flags & CommandFlags.NoHole) == 0;
                await zeroed.ZeroAsync(offset, length, mayFreeSpace, cancellationToken);
                break;
            case Command.Cache:
                await PrefetchAsync(offset, length, cancellationToken);
                break;
            default:
                await ReadStatusAsync(offset, length, cancellationToken);
                break;
        }
    }

    // A hint: what takes too long is left for the reads to come.
    private async ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken)
    {
        try
        {
            await export.Image.PrefetchAsync(offset, length, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            return;
        }
    }

    private async ValueTask ReadStatusAsync(long offset, long length, CancellationToken cancellationToken)
    {
        var extentsMax = (_header.Flags & CommandFlags.RequestOne) != 0 ? 1 : NbdLimits.ExtentsMax;
        foreach (var (kind, map) in export.Maps)
        {
            _marked.Clear();
            await map.ReadAsync(offset, length, extentsMax, _marked, cancellationToken);
            Invariant.Holds(_marked.Count > 0 && _marked.Count <= extentsMax && _marked[0].Offset == offset);
            foreach (var extent in CollectionsMarshal.AsSpan(_marked))
            {
                Extents.Add(new StatusExtent(checked((uint)extent.Length), StateOf(kind, extent.IsMarked)));
            }

            ExtentCounts.Add(_marked.Count);
        }
    }

    private static uint StateOf(ContextKind kind, bool isMarked)
    {
        const uint marked = 1;
        return kind != ContextKind.Allocation ? (isMarked ? marked : 0)
            : isMarked ? (uint)AllocationFlags.None
            : (uint)(AllocationFlags.Hole | AllocationFlags.Zero);
    }
}
