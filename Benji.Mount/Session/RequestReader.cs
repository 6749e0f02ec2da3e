using Benji.Mount.Kernel;
using Benji.Mount.Session.Requests;

namespace Benji.Mount.Session;

/// <summary>One thread that reads requests and has them answered, until the connection ends.</summary>
internal sealed class RequestReader
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IRequestChannel _channel;
    private readonly BufferPool _buffers;
    private readonly Action<int, RequestWorker> _handle;

    /// <summary>Makes a reader that has not started.</summary>
    /// <param name="channel">Where requests come from.</param>
    /// <param name="buffers">Where they are read to.</param>
    /// <param name="handle">Answers the request of so many bytes in the worker's buffer.</param>
    public RequestReader(IRequestChannel channel, BufferPool buffers, Action<int, RequestWorker> handle)
    {
        _channel = channel;
        _buffers = buffers;
        _handle = handle;
    }

    /// <summary>Ends with the thread; fails when the device failed.</summary>
    public Task WhenEnded => _ended.Task;

    /// <summary>Starts the thread. It does not keep the process alive.</summary>
    public void Start(int index) => new Thread(Run) { IsBackground = true, Name = $"fuse-{index}" }.Start();

    private void Run()
    {
        try
        {
            using var worker = new RequestWorker(_buffers);
            while (!worker.IsEnding)
            {
                var length = _channel.Receive(worker.Buffer.GetSpan());
                if (length == 0)
                {
                    break;
                }

                _handle(length, worker);
            }

            _ended.TrySetResult();
        }
        catch (FuseDeviceException exception)
        {
            _ended.TrySetException(exception);
        }
    }
}
