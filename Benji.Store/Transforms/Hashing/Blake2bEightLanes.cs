using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Benji.Store.Model;

namespace Benji.Store.Transforms.Hashing;

/// <summary>Keyed BLAKE2b-256 of eight inputs of equal length at once, one in each lane of AVX-512 registers.</summary>
/// <remarks>
/// The working vector stays in registers for all twelve rounds; the message words lie transposed in the first cache
/// level and are read as memory operands, so the loop over rounds needs no unrolling. Source: RFC 7693.
/// </remarks>
internal static class Blake2bEightLanes
{
    private const int Lanes = 8;

    /// <summary>True when this processor has AVX-512F.</summary>
    public static bool IsSupported => Avx512F.IsSupported && BitConverter.IsLittleEndian;

    /// <summary>Hashes eight inputs.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="data">Holds all the inputs.</param>
    /// <param name="offsets">Where each of the eight inputs starts in <paramref name="data"/>; they may repeat.</param>
    /// <param name="length">Bytes in each input: a multiple of 128, at least 128.</param>
    /// <param name="hashes">Receives eight hashes of 32 bytes.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Hash(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, ReadOnlySpan<int> offsets, int length, Span<byte> hashes)
    {
        Invariant.Holds(key.Length == Blake2bKey.Size && offsets.Length == Lanes);
        Invariant.Holds(length >= Blake2bTables.BlockBytes && length % Blake2bTables.BlockBytes == 0);
        foreach (var offset in offsets)
        {
            // The loads below are not checked again.
            Invariant.Holds(offset >= 0 && offset <= data.Length - length);
        }

        Span<Vector512<ulong>> state = stackalloc Vector512<ulong>[Blake2bTables.StateWords];
        Span<Vector512<ulong>> message = stackalloc Vector512<ulong>[Blake2bTables.BlockWords];
        Start(key, state, message);
        Compress(state, message, Blake2bTables.BlockBytes, 0);
        for (var position = 0; position < length; position += Blake2bTables.BlockBytes)
        {
            Load(data, offsets, position, message);
            Load(data, offsets, position + (Blake2bTables.BlockBytes / 2), message[(Blake2bTables.BlockWords / 2)..]);
            var hashed = position + (2 * Blake2bTables.BlockBytes);
            var isLast = position + Blake2bTables.BlockBytes == length;
            Compress(state, message, (ulong)hashed, isLast ? ulong.MaxValue : 0);
        }

        for (var word = 0; word < Hash256.Size / sizeof(ulong); word++)
        {
            for (var lane = 0; lane < Lanes; lane++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(
                    hashes[((lane * Hash256.Size) + (word * sizeof(ulong)))..], state[word][lane]);
            }
        }
    }

    /// <summary>Sets the first state, and as message the key padded with zeros to one input block.</summary>
    private static void Start(ReadOnlySpan<byte> key, Span<Vector512<ulong>> state, Span<Vector512<ulong>> message)
    {
        state[0] = Vector512.Create(Blake2bTables.Initial0 ^ Blake2bTables.Parameters);
        state[1] = Vector512.Create(Blake2bTables.Initial1);
        state[2] = Vector512.Create(Blake2bTables.Initial2);
        state[3] = Vector512.Create(Blake2bTables.Initial3);
        state[4] = Vector512.Create(Blake2bTables.Initial4);
        state[5] = Vector512.Create(Blake2bTables.Initial5);
        state[6] = Vector512.Create(Blake2bTables.Initial6);
        state[7] = Vector512.Create(Blake2bTables.Initial7);
        message.Clear();
        for (var word = 0; word < Blake2bKey.Size / sizeof(ulong); word++)
        {
            message[word] = Vector512.Create(BinaryPrimitives.ReadUInt64LittleEndian(key[(word * sizeof(ulong))..]));
        }
    }

    /// <summary>Reads 64 bytes of each input and transposes them: word w of every input becomes message[w].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load(
        ReadOnlySpan<byte> data, ReadOnlySpan<int> offsets, int position, Span<Vector512<ulong>> message)
    {
        ref var start = ref Unsafe.Add(ref MemoryMarshal.GetReference(data), position);
        var row0 = Vector512.LoadUnsafe(ref start, (nuint)offsets[0]).AsUInt64();
        var row1 = Vector512.LoadUnsafe(ref start, (nuint)offsets[1]).AsUInt64();
        var row2 = Vector512.LoadUnsafe(ref start, (nuint)offsets[2]).AsUInt64();
        var row3 = Vector512.LoadUnsafe(ref start, (nuint)offsets[3]).AsUInt64();
        var row4 = Vector512.LoadUnsafe(ref start, (nuint)offsets[4]).AsUInt64();
        var row5 = Vector512.LoadUnsafe(ref start, (nuint)offsets[5]).AsUInt64();
        var row6 = Vector512.LoadUnsafe(ref start, (nuint)offsets[6]).AsUInt64();
        var row7 = Vector512.LoadUnsafe(ref start, (nuint)offsets[7]).AsUInt64();

        Quarter(row0, row1, row2, row3, out var low0, out var low1, out var low2, out var low3);
        Quarter(row4, row5, row6, row7, out var high0, out var high1, out var high2, out var high3);

        // As 128-bit pieces, low w holds word w of inputs 0,1, word w + 4 of 0,1, then both of 2,3; high w those of
        // inputs 4 to 7. 0x88 takes pieces 0 and 2 of both, 0xdd takes pieces 1 and 3.
        message[0] = Avx512F.Shuffle4x128(low0, high0, 0x88);
        message[1] = Avx512F.Shuffle4x128(low1, high1, 0x88);
        message[2] = Avx512F.Shuffle4x128(low2, high2, 0x88);
        message[3] = Avx512F.Shuffle4x128(low3, high3, 0x88);
        message[4] = Avx512F.Shuffle4x128(low0, high0, 0xdd);
        message[5] = Avx512F.Shuffle4x128(low1, high1, 0xdd);
        message[6] = Avx512F.Shuffle4x128(low2, high2, 0xdd);
        message[7] = Avx512F.Shuffle4x128(low3, high3, 0xdd);
    }

    /// <summary>Pairs the words of four inputs: each result holds word w and word w + 4 of all four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quarter(
        Vector512<ulong> a, Vector512<ulong> b, Vector512<ulong> c, Vector512<ulong> d,
        out Vector512<ulong> word0, out Vector512<ulong> word1, out Vector512<ulong> word2, out Vector512<ulong> word3)
    {
        // 128-bit pieces of the unpacked rows: even0 = a,b of words 0 2 4 6; odd0 = a,b of words 1 3 5 7.
        var even0 = Avx512F.UnpackLow(a, b);
        var odd0 = Avx512F.UnpackHigh(a, b);
        var even1 = Avx512F.UnpackLow(c, d);
        var odd1 = Avx512F.UnpackHigh(c, d);

        // 0x88 takes pieces 0 and 2 of both, 0xdd takes pieces 1 and 3: words 0, 4 and 2, 6, or 1, 5 and 3, 7.
        word0 = Avx512F.Shuffle4x128(even0, even1, 0x88);
        word2 = Avx512F.Shuffle4x128(even0, even1, 0xdd);
        word1 = Avx512F.Shuffle4x128(odd0, odd1, 0x88);
        word3 = Avx512F.Shuffle4x128(odd0, odd1, 0xdd);
    }

    /// <summary>Mixes one input block of every lane into its state.</summary>
    /// <param name="state">Eight words of every lane.</param>
    /// <param name="message">Sixteen words of every lane.</param>
    /// <param name="hashed">Bytes hashed so far, this block and the key block included.</param>
    /// <param name="final">All ones for the last block, else 0.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compress(
        Span<Vector512<ulong>> state, Span<Vector512<ulong>> message, ulong hashed, ulong final)
    {
        ref var h = ref MemoryMarshal.GetReference(state);
        ref var m = ref MemoryMarshal.GetReference(message);
        ref var order = ref MemoryMarshal.GetReference(Blake2bTables.Schedule);
        var v0 = h;
        var v1 = Unsafe.Add(ref h, 1);
        var v2 = Unsafe.Add(ref h, 2);
        var v3 = Unsafe.Add(ref h, 3);
        var v4 = Unsafe.Add(ref h, 4);
        var v5 = Unsafe.Add(ref h, 5);
        var v6 = Unsafe.Add(ref h, 6);
        var v7 = Unsafe.Add(ref h, 7);
        var v8 = Vector512.Create(Blake2bTables.Initial0);
        var v9 = Vector512.Create(Blake2bTables.Initial1);
        var v10 = Vector512.Create(Blake2bTables.Initial2);
        var v11 = Vector512.Create(Blake2bTables.Initial3);
        var v12 = Vector512.Create(Blake2bTables.Initial4 ^ hashed);
        var v13 = Vector512.Create(Blake2bTables.Initial5);
        var v14 = Vector512.Create(Blake2bTables.Initial6 ^ final);
        var v15 = Vector512.Create(Blake2bTables.Initial7);
        for (nuint round = 0; round < Blake2bTables.Rounds; round++)
        {
            Mix(ref v0, ref v4, ref v8, ref v12, ref m, ref order, 0);
            Mix(ref v1, ref v5, ref v9, ref v13, ref m, ref order, 2);
            Mix(ref v2, ref v6, ref v10, ref v14, ref m, ref order, 4);
            Mix(ref v3, ref v7, ref v11, ref v15, ref m, ref order, 6);
            Mix(ref v0, ref v5, ref v10, ref v15, ref m, ref order, 8);
            Mix(ref v1, ref v6, ref v11, ref v12, ref m, ref order, 10);
            Mix(ref v2, ref v7, ref v8, ref v13, ref m, ref order, 12);
            Mix(ref v3, ref v4, ref v9, ref v14, ref m, ref order, 14);
            order = ref Unsafe.Add(ref order, Blake2bTables.BlockWords);
        }

        h ^= v0 ^ v8;
        Unsafe.Add(ref h, 1) ^= v1 ^ v9;
        Unsafe.Add(ref h, 2) ^= v2 ^ v10;
        Unsafe.Add(ref h, 3) ^= v3 ^ v11;
        Unsafe.Add(ref h, 4) ^= v4 ^ v12;
        Unsafe.Add(ref h, 5) ^= v5 ^ v13;
        Unsafe.Add(ref h, 6) ^= v6 ^ v14;
        Unsafe.Add(ref h, 7) ^= v7 ^ v15;
    }

    /// <summary>The mixing function G with the two message words that <paramref name="order"/> names.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(
        ref Vector512<ulong> a, ref Vector512<ulong> b, ref Vector512<ulong> c, ref Vector512<ulong> d,
        ref Vector512<ulong> message, ref byte order, nuint step)
    {
        a = a + b + Unsafe.Add(ref message, (nuint)Unsafe.Add(ref order, step));
        d = Avx512F.RotateRight(d ^ a, 32);
        c += d;
        b = Avx512F.RotateRight(b ^ c, 24);
        a = a + b + Unsafe.Add(ref message, (nuint)Unsafe.Add(ref order, step + 1));
        d = Avx512F.RotateRight(d ^ a, 16);
        c += d;
        b = Avx512F.RotateRight(b ^ c, 63);
    }
}
