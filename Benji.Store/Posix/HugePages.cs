namespace Benji.Store.Posix;

/// <summary>Asks the kernel to back memory with pages of 2 MiB: one fault, and one entry of the tables, instead of 512.</summary>
internal static class HugePages
{
    /// <summary>Bytes in such a page, and the alignment of memory that has any.</summary>
    public const int Size = 2 * 1024 * 1024;

    private const int HugePageAdvice = 14; // MADV_HUGEPAGE, madvise(2)

    /// <summary>Asks for whole pages of a range; a kernel that has none leaves it as it is.</summary>
    public static unsafe void Ask(byte* start, int length)
    {
        // Advice only: when it is not taken, the memory is there all the same.
        _ = LibC.Advise(start, (nuint)length, HugePageAdvice);
    }
}
