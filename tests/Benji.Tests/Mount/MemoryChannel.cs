using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;

namespace Benji.Tests.Mount;

/// <summary>A channel of bytes: requests are put in, replies and notices come out.</summary>
internal sealed class MemoryChannel : IRequestChannel, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly BlockingCollection<byte[]> _requests = [];
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<byte[]>> _replies = new();
    private readonly ConcurrentQueue<byte[]> _notices = new();
    private readonly byte[] _measured = new byte[RequestBuffer.Size];

    /// <summary>True to keep nothing of what is sent but the last message, without allocating.</summary>
    public bool IsMeasuring { get; set; }

    /// <summary>Bytes of the last message while measuring.</summary>
    public int MeasuredLength { get; private set; }

    /// <summary>The last message while measuring.</summary>
    public ReadOnlySpan<byte> Measured => _measured.AsSpan(0, MeasuredLength);

    /// <summary>The notices so far: code and body.</summary>
    public IReadOnlyList<(NoticeCode Code, byte[] Body)> Notices =>
        [.. _notices.Select(bytes => ((NoticeCode)BitConverter.ToInt32(bytes, 4), bytes[16..]))];

    /// <summary>Ends the connection once all requests are taken.</summary>
    public void End() => _requests.CompleteAdding();

    /// <summary>Puts a request in that is not answered.</summary>
    public void Tell(byte[] request) => _requests.Add(request);

    /// <summary>Puts a request in and waits for its reply.</summary>
    /// <returns>The error number, 0 for none, and the body.</returns>
    public async Task<(int Errno, byte[] Body)> AskAsync(byte[] request)
    {
        var unique = BitConverter.ToUInt64(request, 8);
        var reply = Expect(unique);
        _requests.Add(request);
        return Parse(await reply.WaitAsync(Patience));
    }

    /// <summary>Waits for a reply.</summary>
    public Task<byte[]> Expect(ulong unique) => Slot(unique).Task;

    /// <summary>Splits a reply.</summary>
    public static (int Errno, byte[] Body) Parse(byte[] reply) => (-BitConverter.ToInt32(reply, 4), reply[16..]);

    /// <inheritdoc/>
    public int Receive(Span<byte> buffer)
    {
        if (!_requests.TryTake(out var request, Timeout.Infinite))
        {
            return 0;
        }

        request.CopyTo(buffer);
        return request.Length;
    }

    /// <inheritdoc/>
    public unsafe int Send(ReadOnlySpan<IoVector> vectors)
    {
        if (IsMeasuring)
        {
            MeasuredLength = 0;
            foreach (var vector in vectors)
            {
                new ReadOnlySpan<byte>(vector.Start, (int)vector.Length).CopyTo(_measured.AsSpan(MeasuredLength));
                MeasuredLength += (int)vector.Length;
            }

            return Errno.None;
        }

        var message = new List<byte>();
        foreach (var vector in vectors)
        {
            message.AddRange(new ReadOnlySpan<byte>(vector.Start, (int)vector.Length));
        }

        var bytes = message.ToArray();
        var header = MemoryMarshal.Read<ReplyHeader>(bytes);
        if (header.Length != bytes.Length)
        {
            return Errno.Invalid;
        }

        if (header.Unique == 0)
        {
            _notices.Enqueue(bytes);
            return Errno.None;
        }

        return Slot(header.Unique).TrySetResult(bytes) ? Errno.None : Errno.NotFound;
    }

    /// <inheritdoc/>
    public void Dispose() => _requests.Dispose();

    private TaskCompletionSource<byte[]> Slot(ulong unique) =>
        _replies.GetOrAdd(unique, _ => new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously));
}
