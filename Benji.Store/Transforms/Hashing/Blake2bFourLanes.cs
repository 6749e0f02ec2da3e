using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Benji.Store.Model;

namespace Benji.Store.Transforms.Hashing;

/// <summary>Keyed BLAKE2b-256 of four inputs of equal length at once, one in each lane of AVX2 registers.</summary>
/// <remarks>
/// The working vector stays in registers for all twelve rounds; the message words lie transposed in the first cache
/// level and are read as memory operands, so the loop over rounds needs no unrolling. Source: RFC 7693.
/// </remarks>
internal static class Blake2bFourLanes
{
    private const int Lanes = 4;

    /// <summary>True when this processor has AVX2.</summary>
    public static bool IsSupported => Avx2.IsSupported && BitConverter.IsLittleEndian;

    /// <summary>Hashes four inputs.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="data">Holds all the inputs.</param>
    /// <param name="offsets">Where each of the four inputs starts in <paramref name="data"/>; they may repeat.</param>
    /// <param name="length">Bytes in each input: a multiple of 128, at least 128.</param>
    /// <param name="hashes">Receives four hashes of 32 bytes.</param>
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

        Span<Vector256<ulong>> state = stackalloc Vector256<ulong>[Blake2bTables.StateWords];
        Span<Vector256<ulong>> message = stackalloc Vector256<ulong>[Blake2bTables.BlockWords];
        Start(key, state, message);
        Compress(state, message, Blake2bTables.BlockBytes, 0);
        for (var position = 0; position < length; position += Blake2bTables.BlockBytes)
        {
            for (var word = 0; word < Blake2bTables.BlockWords; word += Lanes)
            {
                Load(data, offsets, position + (word * sizeof(ulong)), message[word..]);
            }

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
    private static void Start(ReadOnlySpan<byte> key, Span<Vector256<ulong>> state, Span<Vector256<ulong>> message)
    {
        state[0] = Vector256.Create(Blake2bTables.Initial0 ^ Blake2bTables.Parameters);
        state[1] = Vector256.Create(Blake2bTables.Initial1);
        state[2] = Vector256.Create(Blake2bTables.Initial2);
        state[3] = Vector256.Create(Blake2bTables.Initial3);
        state[4] = Vector256.Create(Blake2bTables.Initial4);
        state[5] = Vector256.Create(Blake2bTables.Initial5);
        state[6] = Vector256.Create(Blake2bTables.Initial6);
        state[7] = Vector256.Create(Blake2bTables.Initial7);
        message.Clear();
        for (var word = 0; word < Blake2bKey.Size / sizeof(ulong); word++)
        {
            message[word] = Vector256.Create(BinaryPrimitives.ReadUInt64LittleEndian(key[(word * sizeof(ulong))..]));
        }
    }

    /// <summary>Reads 32 bytes of each input and transposes them: word w of every input becomes message[w].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load(
        ReadOnlySpan<byte> data, ReadOnlySpan<int> offsets, int position, Span<Vector256<ulong>> message)
    {
        ref var start = ref Unsafe.Add(ref MemoryMarshal.GetReference(data), position);
        var row0 = Vector256.LoadUnsafe(ref start, (nuint)offsets[0]).AsUInt64();
        var row1 = Vector256.LoadUnsafe(ref start, (nuint)offsets[1]).AsUInt64();
        var row2 = Vector256.LoadUnsafe(ref start, (nuint)offsets[2]).AsUInt64();
        var row3 = Vector256.LoadUnsafe(ref start, (nuint)offsets[3]).AsUInt64();

        // 128-bit halves of the unpacked rows: even0 = inputs 0,1 of words 0 and 2; odd0 = of words 1 and 3.
        var even0 = Avx2.UnpackLow(row0, row1);
        var odd0 = Avx2.UnpackHigh(row0, row1);
        var even1 = Avx2.UnpackLow(row2, row3);
        var odd1 = Avx2.UnpackHigh(row2, row3);

        // 0x20 takes the lower halves of both, 0x31 the upper halves.
        message[0] = Avx2.Permute2x128(even0, even1, 0x20);
        message[1] = Avx2.Permute2x128(odd0, odd1, 0x20);
        message[2] = Avx2.Permute2x128(even0, even1, 0x31);
        message[3] = Avx2.Permute2x128(odd0, odd1, 0x31);
    }

    /// <summary>Mixes one input block of every lane into its state.</summary>
    /// <param name="state">Eight words of every lane.</param>
    /// <param name="message">Sixteen words of every lane.</param>
    /// <param name="hashed">Bytes hashed so far, this block and the key block included.</param>
    /// <param name="final">All ones for the last block, else 0.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compress(
        Span<Vector256<ulong>> state, Span<Vector256<ulong>> message, ulong hashed, ulong final)
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
        var v8 = Vector256.Create(Blake2bTables.Initial0);
        var v9 = Vector256.Create(Blake2bTables.Initial1);
        var v10 = Vector256.Create(Blake2bTables.Initial2);
        var v11 = Vector256.Create(Blake2bTables.Initial3);
        var v12 = Vector256.Create(Blake2bTables.Initial4 ^ hashed);
        var v13 = Vector256.Create(Blake2bTables.Initial5);
        var v14 = Vector256.Create(Blake2bTables.Initial6 ^ final);
        var v15 = Vector256.Create(Blake2bTables.Initial7);

        // AVX2 has no rotation: these byte orders rotate each 64-bit word right by 24 and by 16 bits.
        var rightBy24 = Vector256.Create(
            (byte)3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10,
            3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10);
        var rightBy16 = Vector256.Create(
            (byte)2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9,
            2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9);
        for (nuint round = 0; round < Blake2bTables.Rounds; round++)
        {
            Mix(ref v0, ref v4, ref v8, ref v12, ref m, ref order, 0, rightBy24, rightBy16);
            Mix(ref v1, ref v5, ref v9, ref v13, ref m, ref order, 2, rightBy24, rightBy16);
            Mix(ref v2, ref v6, ref v10, ref v14, ref m, ref order, 4, rightBy24, rightBy16);
            Mix(ref v3, ref v7, ref v11, ref v15, ref m, ref order, 6, rightBy24, rightBy16);
            Mix(ref v0, ref v5, ref v10, ref v15, ref m, ref order, 8, rightBy24, rightBy16);
            Mix(ref v1, ref v6, ref v11, ref v12, ref m, ref order, 10, rightBy24, rightBy16);
            Mix(ref v2, ref v7, ref v8, ref v13, ref m, ref order, 12, rightBy24, rightBy16);
            Mix(ref v3, ref v4, ref v9, ref v14, ref m, ref order, 14, rightBy24, rightBy16);
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
        ref Vector256<ulong> a, ref Vector256<ulong> b, ref Vector256<ulong> c, ref Vector256<ulong> d,
        ref Vector256<ulong> message, ref byte order, nuint step,
        Vector256<byte> rightBy24, Vector256<byte> rightBy16)
    {
        a = a + b + Unsafe.Add(ref message, (nuint)Unsafe.Add(ref order, step));
        d = Avx2.Shuffle((d ^ a).AsUInt32(), 0xb1).AsUInt64();
        c += d;
        b = Avx2.Shuffle((b ^ c).AsByte(), rightBy24).AsUInt64();
        a = a + b + Unsafe.Add(ref message, (nuint)Unsafe.Add(ref order, step + 1));
        d = Avx2.Shuffle((d ^ a).AsByte(), rightBy16).AsUInt64();
        c += d;

        // Right by 63 is left by 1 with the top bit carried round.
        b ^= c;
        b = (b + b) ^ Vector256.ShiftRightLogical(b, 63);
    }
}
