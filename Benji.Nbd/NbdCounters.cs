namespace Benji.Nbd;

/// <summary>What a server has served since it was made; safe to read at any time.</summary>
public sealed class NbdCounters
{
    private long _connections;
    private long _refused;
    private long _requests;
    private long _errors;
    private long _bytesRead;
    private long _bytesWritten;
    private int _open;

    /// <summary>Connections that were accepted.</summary>
    public long Connections => Interlocked.Read(ref _connections);

    /// <summary>Connections that were closed at once, or in their handshake, because too many were open.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Connections that are open.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Requests that were answered, with an error or without.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>Requests that were answered with an error.</summary>
    public long Errors => Interlocked.Read(ref _errors);

    /// <summary>Bytes that clients have read, zeros included.</summary>
    public long BytesRead => Interlocked.Read(ref _bytesRead);

    /// <summary>Bytes that clients have written; zeros asked for without data are not counted.</summary>
    public long BytesWritten => Interlocked.Read(ref _bytesWritten);

    internal void Opened()
    {
        Interlocked.Increment(ref _connections);
        Interlocked.Increment(ref _open);
    }

    internal void Closed() => Interlocked.Decrement(ref _open);

    internal void RefusedOne() => Interlocked.Increment(ref _refused);

    internal void Answered(long requests, long errors, long bytesRead, long bytesWritten)
    {
        Interlocked.Add(ref _requests, requests);
        Interlocked.Add(ref _errors, errors);
        Interlocked.Add(ref _bytesRead, bytesRead);
        Interlocked.Add(ref _bytesWritten, bytesWritten);
    }
}
