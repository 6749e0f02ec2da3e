using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Mount.Tree;

namespace Benji.Mount.Session;

/// <summary>Tells the kernel what has changed, from a thread of its own: a notice waits for requests about the same directory,
/// so that no thread that answers those may send one.</summary>
internal sealed class Notifier : IDisposable
{
    private readonly BlockingCollection<TreeChanges> _changes = new(boundedCapacity: 64);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IRequestChannel _channel;

    /// <summary>Makes a notifier that has not started.</summary>
    public Notifier(IRequestChannel channel) => _channel = channel;

    /// <summary>Ends with the thread.</summary>
    public Task WhenEnded => _ended.Task;

    /// <summary>Starts the thread. It does not keep the process alive.</summary>
    public void Start() => new Thread(Run) { IsBackground = true, Name = "fuse-notify" }.Start();

    /// <summary>Tells of changes, after those before.</summary>
    public void Tell(TreeChanges changes, CancellationToken cancellationToken) => _changes.Add(changes, cancellationToken);

    /// <summary>Asks for the requests that a former server took and did not answer.</summary>
    public void AskAgain() => Send(NoticeCode.Resend, [], []);

    /// <summary>Ends the thread once everything was told.</summary>
    public void Stop() => _changes.CompleteAdding();

    /// <inheritdoc/>
    public void Dispose() => _changes.Dispose();

    private static ReadOnlySpan<byte> BytesOf<T>(ref readonly T notice)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in notice));

    private void Run()
    {
        foreach (var changes in _changes.GetConsumingEnumerable())
        {
            Send(changes);
        }

        _ended.TrySetResult();
    }

    private void Send(TreeChanges changes)
    {
        if (changes.IsAnew)
        {
            Send(NoticeCode.NewEpoch, [], []);
        }

        foreach (var node in changes.Removed)
        {
            var notice = new DeleteNotice
            {
                Parent = node.Parent.Id,
                Child = node.Id,
                NameLength = (uint)node.NameBytes.Length,
            };
            Send(NoticeCode.Delete, BytesOf(in notice), node.NameBytes);
        }

        foreach (var node in changes.Added)
        {
            var notice = new InvalidEntryNotice
            {
                Parent = node.Parent.Id,
                NameLength = (uint)node.NameBytes.Length,
                Flags = changes.IsAnew ? InvalidEntryNotice.ExpireOnly : 0,
            };
            Send(NoticeCode.InvalidEntry, BytesOf(in notice), node.NameBytes);
        }

        foreach (var directory in changes.Directories())
        {
            var notice = new InvalidInodeNotice { Node = directory };
            Send(NoticeCode.InvalidInode, BytesOf(in notice), []);
        }
    }

    // An error means that the kernel has nothing of that name or node, or that the connection has ended.
    private unsafe void Send(NoticeCode code, ReadOnlySpan<byte> body, ReadOnlySpan<byte> name)
    {
        Span<byte> message = stackalloc byte[sizeof(ReplyHeader) + 64 + FileNames.LengthMax + 1];
        var length = sizeof(ReplyHeader) + body.Length + (name.IsEmpty ? 0 : name.Length + 1);
        MemoryMarshal.Write(message, new ReplyHeader { Length = (uint)length, Error = (int)code });
        body.CopyTo(message[sizeof(ReplyHeader)..]);
        name.CopyTo(message[(sizeof(ReplyHeader) + body.Length)..]);
        message[length - 1] = name.IsEmpty ? message[length - 1] : (byte)0;
        fixed (byte* start = message)
        {
            var vector = new IoVector { Start = start, Length = (nuint)length };
            _ = _channel.Send(new ReadOnlySpan<IoVector>(in vector));
        }
    }
}
