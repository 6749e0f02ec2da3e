using Benji.Mount.Tree;
using Benji.Store.Images;

namespace Benji.Mount.Session.Files;

/// <summary>An image that is open, for all who have opened its file; closed after the last use.</summary>
/// <remarks>Safe for concurrent calls. An opening by a client is one use, a request under way another.</remarks>
internal sealed class OpenFile(TreeNode node, IImage image)
{
    private const int Closed = -1;

    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastWriteTicks = node.Date.UtcTicks;
    private int _uses;
    private int _adopted;

    /// <summary>Its file.</summary>
    public TreeNode Node => node;

    /// <summary>Its bytes.</summary>
    public IImage Image => image;

    /// <summary>Its bytes, when it is an overlay; null for a version.</summary>
    public IWritableImage? Writable { get; } = node.Kind == NodeKind.Overlay ? image as IWritableImage : null;

    /// <summary>When it was last written.</summary>
    public DateTimeOffset LastWrite
    {
        get => new(Interlocked.Read(ref _lastWriteTicks), TimeSpan.Zero);
        set => Interlocked.Exchange(ref _lastWriteTicks, value.UtcTicks);
    }

    /// <summary>Ends when the image was closed.</summary>
    public Task WhenClosed => _closed.Task;

    /// <summary>True once the last use has ended: the image is being closed, or was.</summary>
    public bool IsClosing => Volatile.Read(ref _uses) == Closed;

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
    public bool TryBeginClose() => Interlocked.CompareExchange(ref _uses, Closed, 0) == 0;

    /// <summary>Says that the image was closed.</summary>
    public void MarkClosed() => _closed.TrySetResult();
}
