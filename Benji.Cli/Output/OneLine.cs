using System.Globalization;
using System.Text;

namespace Benji.Cli.Output;

/// <summary>Makes a text one line that a terminal shows as it is: no control character goes through.</summary>
/// <remarks>Names in a storage and file names come from others, and an escape sequence in one must not act.</remarks>
internal static class OneLine
{
    /// <summary>Returns the text with line breaks as spaces and other control characters escaped.</summary>
    public static string Of(string text)
    {
        var first = 0;
        while (first < text.Length && !char.IsControl(text[first]))
        {
            first++;
        }

        if (first == text.Length)
        {
            return text;
        }

        var result = new StringBuilder(text, 0, first, text.Length + 16);
        foreach (var c in text.AsSpan(first))
        {
            if (c is '\n' or '\r' or '\t')
            {
                result.Append(' ');
            }
            else if (char.IsControl(c))
            {
                result.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
            }
            else
            {
                result.Append(c);
            }
        }

        return result.ToString();
    }
}
