using System.Runtime.InteropServices;
using Benji.Nbd.Session;

namespace Benji.Tests.Nbd.Session.Requests;

/// <summary>A client that sends one part after another whenever it is read from, then no more, and keeps what it is sent.</summary>
/// <param name="parts">What it sends; the next part is made when the server is ready for it.</param>
internal sealed class ScriptedWire(IEnumerable<byte[]> parts) : IWire, IDisposable
{
    private readonly IEnumerator<byte[]> _parts = parts.GetEnumerator();
    private readonly object _wakeLock = new();
    private bool _isWoken;
    private byte[] _rest = [];

    /// <summary>What the server has sent.</summary>
    public List<byte> Sent { get; } = [];

    /// <summary>Called before anything is sent.</summary>
    public Action? Sending { get; set; }

    /// <inheritdoc/>
    public int Receive(Span<byte> destination, IWireWork work)
    {
        if (!work.Work())
        {
            return -1;
        }

        if (_rest.Length == 0)
        {
            _rest = _parts.MoveNext() ? _parts.Current : [];
        }

        var count = Math.Min(_rest.Length, destination.Length);
        _rest.AsSpan(0, count).CopyTo(destination);
        _rest = _rest[count..];
        return count;
    }

    /// <inheritdoc/>
    public void Send(Span<IoVector> vectors)
    {
        Sending?.Invoke();
        foreach (var vector in vectors)
        {
            var bytes = new byte[(int)vector.Length];
            Marshal.Copy(vector.Address, bytes, 0, bytes.Length);
            Sent.AddRange(bytes);
        }
    }

    /// <inheritdoc/>
    public void WaitForWake()
    {
        lock (_wakeLock)
        {
            while (!_isWoken)
            {
                Monitor.Wait(_wakeLock);
            }

            _isWoken = false;
        }
    }

    /// <inheritdoc/>
    public void Wake()
    {
        lock (_wakeLock)
        {
            _isWoken = true;
            Monitor.Pulse(_wakeLock);
        }
    }

    /// <inheritdoc/>
    public void Abort() => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose() => _parts.Dispose();
}
