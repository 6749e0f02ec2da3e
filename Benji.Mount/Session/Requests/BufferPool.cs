using System.Collections.Concurrent;
using Benji.Mount.Kernel;

namespace Benji.Mount.Session.Requests;

/// <summary>Request buffers that are not in use; kept, since making one costs page faults.</summary>
/// <remarks>In use at once are one for each reader and one for each write that waits: the kernel has few of those under way
/// from its cache (<c>max_background</c>), and one for each process that writes directly. Safe for concurrent calls.</remarks>
internal sealed class BufferPool : IDisposable
{
    private const int KeptMax = 16;

    private readonly ConcurrentQueue<RequestBuffer> _free = new();

    /// <summary>Takes a buffer.</summary>
    public RequestBuffer Rent() => _free.TryDequeue(out var buffer) ? buffer : new RequestBuffer();

    /// <summary>Gives a buffer back.</summary>
    public void Return(RequestBuffer buffer)
    {
        if (_free.Count < KeptMax)
        {
            _free.Enqueue(buffer);
        }
        else
        {
            ((IDisposable)buffer).Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_free.TryDequeue(out var buffer))
        {
            ((IDisposable)buffer).Dispose();
        }
    }
}
