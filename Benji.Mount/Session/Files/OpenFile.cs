using Benji.Mount.Tree;
using Benji.Store.Images;
using Benji.Store.Model;

namespace Benji.Mount.Session.Files;

/// <summary>An image that is open, for all who have opened its file; closed after the last use.</summary>
/// <remarks>Safe for concurrent calls. An opening by a client is one use, a request under way another.</remarks>
internal sealed class OpenFile(TreeNode node, IImage image)
{
    private const int Closed = -1;

    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _factsLock = new();
    private OverlayFacts? _last;
    private int _uses;
    private int _adopted;

    /// <summary>Its file.</summary>
    public TreeNode Node => node;

    /// <summary>Its bytes.</summary>
    public IImage Image => image;

    /// <summary>Its bytes, when it is an overlay; null for a version.</summary>
    public IWritableImage? Writable { get; } = node.Kind == NodeKind.Overlay ? image as IWritableImage : null;

    /// <summary>What stat shows of an overlay; while it is being closed, what it showed last. Null for a version.</summary>
    /// <exception cref="BenjiException">The overlay's file cannot be read.</exception>
    public OverlayFacts? Facts
    {
        get
        {
            lock (_factsLock)
            {
                return _last ?? (Writable is { } writable ? OverlayFacts.Of(writable) : null);
            }
        }
    }

    /// <summary>Ends when the image was closed.</summary>
    public Task WhenClosed => _closed.Task;

    /// <summary>True once the last use has ended: the image is being closed, or was.</summary>
    public bool IsClosing => Volatile.Read(ref _uses) == Closed;

    /// <summary>Makes all bytes of an overlay zeros, durably: whoever cuts or makes a file writes only what is none.</summary>
    /// <exception cref="BenjiException">They could not be; it may hold zeros in part.</exception>
    public async ValueTask EmptyAsync(CancellationToken cancellationToken)
    {
        if (Writable is { Size: > 0 } writable)
        {
            await writable.ZeroAsync(0, writable.Size, mayFreeSpace: true, cancellationToken);
            await writable.FlushAsync(cancellationToken);
        }
    }

    /// <summary>Begins a use; false when the image is being closed.</summary>
    public bool TryEnter()
    {
        while (true)
        {
            var uses = Volatile.Read(ref _uses);
            if (uses == Closed)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _uses, uses + 1, uses) == uses)
            {
                return true;
            }
        }
    }

    /// <summary>Begins, once, the use that stands for all openings of a former server; one of their releases ends it.</summary>
    /// <remarks>Called within another use.</remarks>
    public void Adopt()
    {
        if (Interlocked.Exchange(ref _adopted, 1) == 0)
        {
            Interlocked.Increment(ref _uses);
        }
    }

    /// <summary>Ends a use.</summary>
    /// <returns>True when it was the last: the caller must close the image then.</returns>
    public bool Exit() =>
        Interlocked.Decrement(ref _uses) == 0 && TryBeginClose();

    /// <summary>Bars further uses when there is none.</summary>
    /// <returns>True when this call did it: the caller must close the image then.</returns>
    public bool TryBeginClose()
    {
        // The image is there for as long as the lock is held: nobody closes it before this has returned.
        lock (_factsLock)
        {
            if (Interlocked.CompareExchange(ref _uses, Closed, 0) != 0)
            {
                return false;
            }

            _last = Writable is { } writable ? OverlayFacts.Last(writable) : null;
            return true;
        }
    }

    /// <summary>Says that the image was closed.</summary>
    public void MarkClosed() => _closed.TrySetResult();
}
