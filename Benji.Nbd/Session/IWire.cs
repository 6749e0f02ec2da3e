using System.Runtime.InteropServices;

namespace Benji.Nbd.Session;

/// <summary>The bytes of one client after its handshake: used by the one thread that serves it, woken by any.</summary>
internal interface IWire
{
    /// <summary>Receives what has arrived; when nothing has, lets the work be done and waits.</summary>
    /// <param name="destination">Receives at least one byte.</param>
    /// <param name="work">Done before each wait, and again whenever the wire was woken.</param>
    /// <returns>Bytes received; 0 when the client sends no more; -1 when the work says to stop.</returns>
    /// <exception cref="IOException">The connection is broken.</exception>
    int Receive(Span<byte> destination, IWireWork work);

    /// <summary>Sends all bytes, waiting for the client to take them.</summary>
    /// <param name="vectors">Where they are; memory that does not move. The vectors may be changed.</param>
    /// <exception cref="IOException">The connection is broken.</exception>
    void Send(Span<IoVector> vectors);

    /// <summary>Waits until the wire is woken, or returns at once when it was since the last wait.</summary>
    void WaitForWake();

    /// <summary>Ends the present or next wait; safe from any thread at any time.</summary>
    void Wake();

    /// <summary>Breaks the connection under whoever uses it; safe from any thread while it is in use.</summary>
    void Abort();
}

/// <summary>What a thread does before it waits for its client.</summary>
internal interface IWireWork
{
    /// <summary>Sends what is ready.</summary>
    /// <returns>False when there is nothing to wait for any more.</returns>
    bool Work();
}

/// <summary>Bytes at an address: <c>struct iovec</c>.</summary>
/// <param name="Address">Pinned or native memory.</param>
/// <param name="Length">Bytes.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct IoVector(nint Address, nuint Length);
