using System.Buffers;
using System.Runtime.InteropServices;
using Benji.Store.Posix;

namespace Benji.Store.Images.Versions.Frames;

/// <summary>Native memory for frames: so much that lives so long is no business of the garbage collector.</summary>
/// <remarks>In huge pages where the kernel has them, as a fresh page costs more than what is copied into it. Disposed when
/// nobody holds any memory of it any more.</remarks>
internal sealed unsafe class FrameSlab : MemoryManager<byte>
{
    private readonly int _length;
    private byte* _start;

    /// <summary>Takes <paramref name="length"/> bytes of undefined content.</summary>
    public FrameSlab(int length)
    {
        _length = length;
        _start = (byte*)NativeMemory.AlignedAlloc((nuint)length, HugePages.Size);
        HugePages.Ask(_start, length);
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => new(_start, _length);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    /// <inheritdoc/>
    public override void Unpin()
    {
        // It never moves.
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        NativeMemory.AlignedFree(_start);
        _start = null;
    }
}
