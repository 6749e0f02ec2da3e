using System.Buffers.Binary;
using System.Numerics;
using Benji.Store.Model;

namespace Benji.Store.Images.Overlays.Files;

/// <summary>One page of marks in memory: two bits for each of 16,384 units.</summary>
/// <remarks>Changed by one caller at a time; read by anybody beside that, who sees each mark as it was or as it is.
/// Format: docs/format.md, "Overlay file".</remarks>
internal sealed class MarkPage
{
    private const int WordUnits = 64 / OverlayLayout.MarkBits;
    private const int Words = OverlayLayout.PageUnits / WordUnits;
    private const ulong LowBits = 0x5555_5555_5555_5555;

    // What all pages of one state share; never written to.
    private static readonly ulong[][] Uniform =
        [MakeUniform(UnitState.Base), MakeUniform(UnitState.Data), MakeUniform(UnitState.Zero)];

    private ulong[] _words = Uniform[(int)UnitState.Base];

    /// <summary>Units that are not the base's.</summary>
    public int DirtyUnits { get; private set; }

    /// <summary>Units that are the file's.</summary>
    public int DataUnits { get; private set; }

    /// <summary>True when the page on the disk is another.</summary>
    public bool IsChanged { get; set; }

    /// <summary>True while the page is on its way to the disk.</summary>
    public bool IsBeingWritten { get; set; }

    /// <summary>True when the page surely has its space on the disk.</summary>
    public bool IsReserved { get; set; }

    /// <summary>True when the disk tells all that is known of the page. Zeros there do not tell whether they have
    /// space.</summary>
    public bool IsOnDisk => !IsChanged && !IsBeingWritten && IsReserved == (DirtyUnits > 0);

    /// <summary>Reads a page.</summary>
    /// <param name="bytes">A page's bytes.</param>
    /// <param name="unitCount">Units that the page has marks of; marks behind them are 0.</param>
    /// <returns>Null when a mark is none of the three, or one that must be 0 is not.</returns>
    public static MarkPage? Parse(ReadOnlySpan<byte> bytes, int unitCount)
    {
        Invariant.Holds(bytes.Length == OverlayLayout.UnitSize && unitCount is > 0 and <= OverlayLayout.PageUnits);
        var words = new ulong[Words];
        var (dirtyUnits, dataUnits) = (0, 0);
        for (var i = 0; i < words.Length; i++)
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(i * sizeof(ulong))..]);
            var known = Math.Clamp(unitCount - (i * WordUnits), 0, WordUnits);
            if ((word & (word >> 1) & LowBits) != 0 || (word & ~Mask(0, known)) != 0)
            {
                return null;
            }

            words[i] = word;
            dirtyUnits += BitOperations.PopCount(word);
            dataUnits += BitOperations.PopCount(word & LowBits);
        }

        return new MarkPage
        {
            IsReserved = dirtyUnits > 0,
            DirtyUnits = dirtyUnits,
            DataUnits = dataUnits,
            _words = Array.Find(Uniform, uniform => uniform.AsSpan().SequenceEqual(words)) ?? words,
        };
    }

    /// <summary>Writes the page's bytes.</summary>
    public void CopyTo(Span<byte> bytes)
    {
        for (var i = 0; i < _words.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[(i * sizeof(ulong))..], _words[i]);
        }
    }

    /// <summary>Returns the mark of a unit, counted in the page.</summary>
    public UnitState Get(int unit) =>
        (UnitState)((Volatile.Read(ref Volatile.Read(ref _words)[unit / WordUnits]) >> Shift(unit)) & 3);

    /// <summary>Finds the end of the run of one state that a unit begins, at most <paramref name="end"/>.</summary>
    public int FindRunEnd(int unit, int end, out UnitState state)
    {
        var words = Volatile.Read(ref _words);
        state = (UnitState)((Volatile.Read(ref words[unit / WordUnits]) >> Shift(unit)) & 3);
        if (ReferenceEquals(words, Uniform[(int)state]))
        {
            return end;
        }

        var at = unit;
        while (at < end)
        {
            var other = Volatile.Read(ref words[at / WordUnits]) ^ Pattern(state);
            other >>= Shift(at);
            if (other != 0)
            {
                at += BitOperations.TrailingZeroCount(other) / OverlayLayout.MarkBits;
                break;
            }

            at = ((at / WordUnits) + 1) * WordUnits;
        }

        // A mark that changes meanwhile must not make a run of nothing.
        return Math.Clamp(at, unit + 1, end);
    }

    /// <summary>Sets the marks of a run of units.</summary>
    public void Set(int first, int count, UnitState state)
    {
        Invariant.Holds(first >= 0 && count > 0 && first + count <= OverlayLayout.PageUnits);
        if (FindRunEnd(first, first + count, out var known) == first + count && known == state)
        {
            return;
        }

        if (count == OverlayLayout.PageUnits)
        {
            IsChanged = true;
            DirtyUnits = state == UnitState.Base ? 0 : count;
            DataUnits = state == UnitState.Data ? count : 0;
            Volatile.Write(ref _words, Uniform[(int)state]);
            return;
        }

        if (Array.IndexOf(Uniform, _words) >= 0)
        {
            Volatile.Write(ref _words, (ulong[])_words.Clone());
        }

        for (var at = first; at < first + count;)
        {
            var index = at / WordUnits;
            var end = Math.Min(first + count, (index + 1) * WordUnits);
            SetWord(index, Mask(at % WordUnits, end - at), Pattern(state));
            at = end;
        }
    }

    private static int Shift(int unit) => unit % WordUnits * OverlayLayout.MarkBits;

    private static ulong[] MakeUniform(UnitState state)
    {
        var words = new ulong[Words];
        Array.Fill(words, Pattern(state));
        return words;
    }

    private void SetWord(int index, ulong mask, ulong pattern)
    {
        var word = _words[index];
        var next = (word & ~mask) | (pattern & mask);
        if (next != word)
        {
            DirtyUnits += BitOperations.PopCount(next) - BitOperations.PopCount(word);
            DataUnits += BitOperations.PopCount(next & LowBits) - BitOperations.PopCount(word & LowBits);
            Volatile.Write(ref _words[index], next);
            IsChanged = true;
        }
    }

    // A mark of data or zero has one bit set, so that bits count units.
    private static ulong Pattern(UnitState state) => state switch
    {
        UnitState.Data => LowBits,
        UnitState.Zero => LowBits << 1,
        _ => 0,
    };

    private static ulong Mask(int first, int count) =>
        count == 0 ? 0 : ulong.MaxValue >> (64 - (count * OverlayLayout.MarkBits)) << (first * OverlayLayout.MarkBits);
}
