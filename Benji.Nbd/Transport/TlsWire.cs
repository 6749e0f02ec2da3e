using System.Net.Security;
using Benji.Nbd.Session;

namespace Benji.Nbd.Transport;

/// <summary>A connection under TLS: what is sent is gathered into few records, what waits does the same work as without.</summary>
/// <param name="tls">The stream of TLS, over <paramref name="socket"/>.</param>
/// <param name="socket">The stream under it.</param>
internal sealed unsafe class TlsWire(SslStream tls, PolledStream socket) : IWire
{
    private const int GatherSize = 64 * 1024;

    private readonly byte[] _gathered = new byte[GatherSize];

    /// <inheritdoc/>
    public int Receive(Span<byte> destination, IWireWork work)
    {
        socket.Work = work;
        try
        {
            return tls.Read(destination);
        }
        catch (IOException) when (socket.IsStopped)
        {
            return -1;
        }
    }

    /// <inheritdoc/>
    public void Send(Span<IoVector> vectors)
    {
        var count = 0;
        foreach (var vector in vectors)
        {
            var bytes = new ReadOnlySpan<byte>((void*)vector.Address, (int)vector.Length);
            while (!bytes.IsEmpty)
            {
                var taken = Math.Min(bytes.Length, GatherSize - count);
                bytes[..taken].CopyTo(_gathered.AsSpan(count));
                bytes = bytes[taken..];
                count += taken;
                if (count == GatherSize)
                {
                    tls.Write(_gathered, 0, count);
                    count = 0;
                }
            }
        }

        tls.Write(_gathered, 0, count);
    }

    /// <inheritdoc/>
    public void WaitForWake() => socket.Socket.WaitForWake();

    /// <inheritdoc/>
    public void Wake() => socket.Socket.Wake();

    /// <inheritdoc/>
    public void Abort() => socket.Socket.Abort();
}
