using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Mount.Session.Files;
using Benji.Mount.Session.Handlers;
using Benji.Mount.Session.Requests;
using Benji.Mount.Tree;
using Benji.Store.Images;
using Benji.Store.Model;
using Microsoft.Extensions.Logging;

namespace Benji.Mount.Session;

/// <summary>One connection served from its first request to its last, whatever is mounted on it.</summary>
internal sealed class MountSession : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly BufferPool _buffers = new();
    private readonly RequestReader[] _readers;
    private readonly PendingRequests _pending;
    private readonly OpenFiles _files;
    private readonly ImageTree _tree;
    private readonly Notifier _notifier;
    private readonly TreeWatcher _watcher;
    private readonly Dispatcher _dispatcher;
    private readonly Handshake _handshake;
    private readonly ILogger _logger;
    private Task _watching = Task.CompletedTask;
    private volatile int _wakingThread = -1;

    /// <summary>Puts the parts of a session together; nothing is read yet.</summary>
    public MountSession(
        IRequestChannel channel,
        IImageDirectory images,
        ImageTree tree,
        SessionOptions options,
        ILogger logger,
        TimeProvider clock)
    {
        _logger = logger;
        var replies = new Replies(channel, logger);
        var errors = new FuseErrors(logger, clock);
        _files = new OpenFiles(images, logger);
        _tree = tree;
        _pending = new PendingRequests(replies, errors);
        _handshake = new Handshake(replies);
        _notifier = new Notifier(channel);
        _watcher = new TreeWatcher(_tree, _notifier, options.PollInterval, clock, logger);
        var attributes = new AttributeSource(options.Access, _files);
        var parts = new HandlerParts(_tree, _files, replies, _pending, errors, attributes, clock, options.IsReadOnly);
        _dispatcher = new Dispatcher(parts, images, _buffers, _handshake);
        _readers = [.. Enumerable.Range(0, options.Readers).Select(_ => new RequestReader(channel, _buffers, Handle))];
        WhenEnded = Task.WhenAll(_readers.Select(reader => reader.WhenEnded));
    }

    /// <summary>Ends when all readers have; fails when the device failed.</summary>
    public Task WhenEnded { get; }

    /// <summary>Images in the tree.</summary>
    public int ImageCount => _tree.Current.Entries.Count;

    /// <summary>Starts to read requests and waits until the kernel and this server have agreed.</summary>
    /// <exception cref="FuseProtocolException">They could not.</exception>
    /// <exception cref="FuseDeviceException">The connection ended before.</exception>
    public async Task<Negotiation> StartAsync(CancellationToken cancellationToken)
    {
        StartThreads();
        await Task.WhenAny(_handshake.WhenAgreed, WhenEnded).WaitAsync(cancellationToken);
        if (!_handshake.WhenAgreed.IsCompleted)
        {
            _handshake.Fail(new FuseDeviceException("serve the mount", Errno.NoDevice));
        }

        return await _handshake.WhenAgreed;
    }

    /// <summary>Goes on where a former server ended, and has the requests that it took asked again.</summary>
    public void Resume(Negotiation negotiation)
    {
        _handshake.Resume(negotiation);
        StartThreads();
        if (negotiation.CanResend)
        {
            _notifier.AskAgain();
        }

        // The former server may have died before it told of a change, and nobody has since.
        _notifier.Tell(TreeChanges.Anew(_tree.Current), _stopping.Token);
    }

    /// <summary>Looks for changes no more, interrupts what waits, and ends the readers.</summary>
    /// <param name="wake">Sends one request through the mount, on a thread of its own: a reader that waits in the kernel ends
    /// by nothing but a request or the end of the connection. Null when the connection ends by itself.</param>
    /// <param name="patience">So long the look for changes, and then the readers, are waited for.</param>
    public async Task EndAsync(Action? wake, TimeSpan patience)
    {
        await _stopping.CancelAsync();
        _pending.Stop();
        try
        {
            await _watching.WaitAsync(patience);
        }
        catch (TimeoutException)
        {
            Log.RefreshFailed(_logger, "the catalog does not answer");
        }

        _notifier.Stop();
        if (wake is not null)
        {
            new Thread(() => Wake(wake)) { IsBackground = true, Name = "fuse-wake" }.Start();
        }

        try
        {
            await Task.WhenAll(WhenEnded, _notifier.WhenEnded, _pending.WhenIdle).WaitAsync(patience);
        }
        catch (Exception failure) when (failure is FuseDeviceException or TimeoutException)
        {
            Log.DeviceFailed(_logger, failure.Message);
        }
    }

    /// <summary>Makes overlays durable and closes all images.</summary>
    /// <exception cref="StorageException">An overlay could not be made durable.</exception>
    public Task CloseFilesAsync() => _files.CloseAllAsync();

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping.Dispose();
        if (_pending.Count > 0)
        {
            Log.EndedWithWaiters(_logger, _pending.Count);
        }

        // What a thread still uses goes with the process.
        if (WhenEnded.IsCompleted && _notifier.WhenEnded.IsCompleted)
        {
            _notifier.Dispose();
            _buffers.Dispose();
        }
    }

    private static bool IsWake(ReadOnlySpan<byte> bytes, int thread)
    {
        if (bytes.Length < Unsafe.SizeOf<RequestHeader>())
        {
            return false;
        }

        var header = MemoryMarshal.Read<RequestHeader>(bytes);
        return header.Opcode == Opcode.FileSystemStatus && header.Thread == (uint)thread;
    }

    private void Wake(Action wake)
    {
        _wakingThread = LibC.ThreadId();
        foreach (var _ in _readers)
        {
            wake();
        }
    }

    private void StartThreads()
    {
        for (var i = 0; i < _readers.Length; i++)
        {
            _readers[i].Start(i);
        }

        _notifier.Start();
        _watching = _watcher.RunAsync(_stopping.Token);
    }

    private void Handle(int length, RequestWorker worker)
    {
        var bytes = worker.Buffer.GetSpan()[..length];
        worker.IsEnding = _wakingThread >= 0 && IsWake(bytes, _wakingThread);
        _dispatcher.Handle(bytes, worker);
    }
}
