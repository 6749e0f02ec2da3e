namespace Benji.Cli.Configuration.Yaml;

/// <summary>Finds the known key that an unknown one was probably meant to be.</summary>
internal static class NearestKey
{
    private const int LengthMax = 60;

    /// <summary>Returns the candidate with the fewest changed characters, case apart; null without candidates.</summary>
    public static string? Of(string key, IEnumerable<string> candidates) =>
        candidates.Order(StringComparer.Ordinal).MinBy(candidate => Distance(Fold(key), Fold(candidate)));

    private static string Fold(string key) => (key.Length > LengthMax ? key[..LengthMax] : key).ToUpperInvariant();

    // Insertions, deletions, replacements and swaps of neighbours, one row after another.
    private static int Distance(string left, string right)
    {
        var before = new int[right.Length + 1];
        var last = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var row = new int[right.Length + 1];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var replaced = last[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
                row[j] = Math.Min(replaced, 1 + Math.Min(last[j], row[j - 1]));
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                {
                    row[j] = Math.Min(row[j], before[j - 2] + 1);
                }
            }

            (before, last) = (last, row);
        }

        return last[right.Length];
    }
}
