namespace Benji.Mount.Kernel;

/// <summary>Where requests come from and replies go: the device of the kernel, or a test.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
internal interface IRequestChannel
{
    /// <summary>Waits for one whole request.</summary>
    /// <param name="buffer">Receives it; at least <see cref="RequestBuffer.Size"/> bytes.</param>
    /// <returns>Bytes in the request; 0 when the connection has ended.</returns>
    /// <exception cref="FuseDeviceException">The device failed.</exception>
    int Receive(Span<byte> buffer);

    /// <summary>Sends one reply or notice, all at once.</summary>
    /// <param name="vectors">Its runs of bytes, at most <see cref="VectorsMax"/>; lent for the call.</param>
    /// <returns>0, or the error number with which the kernel refused it.</returns>
    int Send(ReadOnlySpan<IoVector> vectors);

    /// <summary>Runs of bytes in one message: IOV_MAX.</summary>
    const int VectorsMax = 1024;
}
