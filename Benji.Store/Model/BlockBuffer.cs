using System.Buffers;
using System.Runtime.CompilerServices;

namespace Benji.Store.Model;

/// <summary>Owned bytes of an exact length at a 4 KiB-aligned address; whoever holds it disposes it, on every path.</summary>
/// <remarks>The memory behind <see cref="Memory"/> goes on to the next multiple of 4 KiB, so that a direct write may round
/// up. It lies outside the moving heap. Not safe for concurrent disposal.</remarks>
public sealed class BlockBuffer : IMemoryOwner<byte>
{
    /// <summary>The alignment of the first byte, and the grain of <see cref="Capacity"/>.</summary>
    public const int Alignment = 4096;

    private readonly BlockBufferPool _pool;
    private byte[]? _array;
    private readonly int _start;

    internal BlockBuffer(BlockBufferPool pool, byte[] array, int length)
    {
        _pool = pool;
        _array = array;
        _start = AlignedStart(array);
        Capacity = (array.Length - Alignment) / Alignment * Alignment;
        Length = length;
    }

    /// <summary>Bytes in <see cref="Memory"/>.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes that <see cref="Resize"/> can reach.</summary>
    public int Capacity { get; }

    /// <summary>The bytes. Invalid after disposal.</summary>
    public Memory<byte> Memory => Array.AsMemory(_start, Length);

    /// <summary>The bytes, for synchronous code. Invalid after disposal.</summary>
    public Span<byte> Span => Array.AsSpan(_start, Length);

    private byte[] Array => _array ?? throw new ObjectDisposedException(nameof(BlockBuffer));

    /// <summary>Sets the length; bytes up to the smaller length stay, further ones are undefined.</summary>
    public void Resize(int length)
    {
        Invariant.Holds(length >= 0 && length <= Capacity);
        Length = length;
    }

    /// <summary>Gives the memory back; plaintext is cleared by the pool's next user, never handed out unasked.</summary>
    public void Dispose()
    {
        var array = Interlocked.Exchange(ref _array, null);
        if (array is not null)
        {
            _pool.Return(array);
        }
    }

    // The array is pinned for its life, so its address does not change.
    private static unsafe int AlignedStart(byte[] array)
    {
        var address = (nuint)Unsafe.AsPointer(ref array[0]);
        return (int)((Alignment - (address % Alignment)) % Alignment);
    }
}
