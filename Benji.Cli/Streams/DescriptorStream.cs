using System.Runtime.InteropServices;

namespace Benji.Cli.Streams;

/// <summary>Writes to a standard descriptor of the process, as it stands.</summary>
/// <remarks>The console's stream would first switch a terminal's keys to another mode, and a file stream would write at
/// offsets of its own over what another program appends. A reader that went away (<c>benji ls | head</c>) is no failure:
/// what follows is dropped. Safe for concurrent calls as the kernel's write is.</remarks>
internal sealed partial class DescriptorStream(int descriptor) : Stream
{
    private const int Interrupted = 4;
    private const int WouldBlock = 11;
    private const int BrokenPipe = 32;
    private const short Writable = 4;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>True when the descriptor is a terminal.</summary>
    public bool IsTerminal => IsTerminalDescriptor(descriptor) == 1;

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var written = WriteDescriptor(descriptor, buffer, (nuint)buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Interrupted:
                    break;
                case WouldBlock:
                    WaitUntilWritable();
                    break;
                case BrokenPipe:
                    return;
                case var error:
                    throw new IOException(Marshal.GetPInvokeErrorMessage(error));
            }
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
        // Nothing is held back.
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    // Whoever shares the descriptor may have made it non-blocking. A failed wait shows at the next write.
    private void WaitUntilWritable()
    {
        var awaited = new Awaited { Descriptor = descriptor, Events = Writable };
        _ = Poll(ref awaited, 1, -1);
    }

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteDescriptor(int descriptor, ReadOnlySpan<byte> buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "isatty")]
    private static partial int IsTerminalDescriptor(int descriptor);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref Awaited awaited, nuint count, int milliseconds);

    /// <summary>The kernel's <c>struct pollfd</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Awaited
    {
        public int Descriptor;
        public short Events;
        public short Results;
    }
}
