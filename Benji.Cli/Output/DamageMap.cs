using Benji.Store.Operations;

namespace Benji.Cli.Output;

/// <summary>Prints damaged ranges, one line each: <c>damaged OFFSET LENGTH BLOCK REASON</c>.</summary>
internal static class DamageMap
{
    /// <summary>Writes the lines; none when nothing is damaged.</summary>
    public static void Write(TextWriter output, IReadOnlyList<Damage> damage)
    {
        foreach (var range in damage)
        {
            output.WriteLine($"damaged {range.Offset} {range.Length} {range.Block} {OneLine.Of(range.Reason)}");
        }
    }

    /// <summary>Returns the damaged bytes.</summary>
    public static long Bytes(IReadOnlyList<Damage> damage)
    {
        var bytes = 0L;
        foreach (var range in damage)
        {
            bytes += range.Length;
        }

        return bytes;
    }
}
