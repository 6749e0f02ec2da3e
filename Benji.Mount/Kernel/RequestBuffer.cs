using System.Buffers;
using System.Runtime.InteropServices;

namespace Benji.Mount.Kernel;

/// <summary>Native memory, aligned to a page, that holds one request at a time; its unused pages take no memory.</summary>
internal sealed unsafe class RequestBuffer : MemoryManager<byte>
{
    /// <summary>Bytes in the largest write.</summary>
    public const int PayloadMax = 1024 * 1024;

    /// <summary>Bytes in front of the payload that hold the heads of a request.</summary>
    public const int HeadSize = 4096;

    /// <summary>Bytes in the buffer.</summary>
    public const int Size = HeadSize + PayloadMax;

    private const int PageSize = 4096;

    private void* _start = NativeMemory.AlignedAlloc(Size, PageSize);

    /// <inheritdoc/>
    public override Span<byte> GetSpan() =>
        _start == null ? throw new ObjectDisposedException(nameof(RequestBuffer)) : new Span<byte>(_start, Size);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elementIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elementIndex, Size);
        return new MemoryHandle((byte*)_start + elementIndex);
    }

    /// <inheritdoc/>
    public override void Unpin()
    {
        // Native memory does not move.
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        NativeMemory.AlignedFree(_start);
        _start = null;
    }
}
