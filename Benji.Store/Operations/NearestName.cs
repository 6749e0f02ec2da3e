namespace Benji.Store.Operations;

/// <summary>Finds what a mistyped word was probably meant to be.</summary>
public static class NearestName
{
    private const int WordMax = 320;
    private const int CandidatesMax = 5000;

    /// <summary>Returns the candidate that the fewest changes lead to, or null when all are too far away.</summary>
    /// <param name="word">What was written; nothing is near to a word of more than 320 letters.</param>
    /// <param name="candidates">What there is; the first few thousand are compared.</param>
    public static string? Of(string word, IEnumerable<string> candidates)
    {
        if (word.Length > WordMax)
        {
            return null;
        }

        string? nearest = null;
        var least = Math.Max(1, word.Length / 3) + 1;
        foreach (var candidate in candidates.Take(CandidatesMax))
        {
            var distance = Distance(word, candidate);
            if (distance < least)
            {
                least = distance;
                nearest = candidate;
            }
        }

        return nearest;
    }

    // The edit distance, row by row.
    private static int Distance(string left, string right)
    {
        var row = new int[right.Length + 1];
        for (var column = 0; column <= right.Length; column++)
        {
            row[column] = column;
        }

        for (var line = 1; line <= left.Length; line++)
        {
            var diagonal = row[0];
            row[0] = line;
            for (var column = 1; column <= right.Length; column++)
            {
                var replaced = diagonal + (left[line - 1] == right[column - 1] ? 0 : 1);
                diagonal = row[column];
                row[column] = Math.Min(replaced, Math.Min(row[column], row[column - 1]) + 1);
            }
        }

        return row[right.Length];
    }
}
