using System.Collections.Concurrent;
using System.Numerics;

namespace Benji.Store.Model;

/// <summary>Lends aligned buffers and keeps a bounded number of returned ones per size class for the next user.</summary>
/// <remarks>Safe for concurrent calls. Size classes are 8 KiB and further on four to each doubling; contents are
/// undefined when lent.</remarks>
public sealed class BlockBufferPool
{
    private const int ClassMin = 8 * 1024;
    private const int ClassesPerDoubling = 4;

    private readonly ConcurrentDictionary<int, ConcurrentBag<byte[]>> _idle = new();
    private readonly long _idleBytesMax;
    private long _idleBytes;

    /// <summary>Creates a pool that keeps at most <paramref name="idleBytesMax"/> bytes in returned buffers.</summary>
    public BlockBufferPool(long idleBytesMax) => _idleBytesMax = idleBytesMax;

    /// <summary>Bytes in returned buffers.</summary>
    public long IdleBytes => Interlocked.Read(ref _idleBytes);

    /// <summary>Lends a buffer of <paramref name="length"/> bytes; the caller disposes it or gives it away.</summary>
    public BlockBuffer Rent(int length)
    {
        var grain = Math.Max(ClassMin, (int)(BitOperations.RoundUpToPowerOf2((uint)length) / ClassesPerDoubling / 2));
        var whole = (((Math.Max(length, 1) + grain - 1) / grain) * grain) + BlockBuffer.Alignment;
        if (_idle.TryGetValue(whole, out var bag) && bag.TryTake(out var array))
        {
            Interlocked.Add(ref _idleBytes, -whole);
            return new BlockBuffer(this, array, length);
        }

        return new BlockBuffer(this, GC.AllocateUninitializedArray<byte>(whole, pinned: true), length);
    }

    internal void Return(byte[] array)
    {
        if (Interlocked.Add(ref _idleBytes, array.Length) > _idleBytesMax)
        {
            Interlocked.Add(ref _idleBytes, -array.Length);
            return;
        }

        _idle.GetOrAdd(array.Length, _ => []).Add(array);
    }
}
