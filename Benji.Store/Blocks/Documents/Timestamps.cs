using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Benji.Store.Blocks.Documents;

/// <summary>Dates as they stand in <c>store.json</c> and manifests: UTC, whole microseconds.</summary>
internal static class Timestamps
{
    private const string Layout = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    /// <summary>Formats a date; what is finer than a microsecond is cut off.</summary>
    public static string Format(DateTimeOffset date) =>
        date.UtcDateTime.ToString(Layout, CultureInfo.InvariantCulture);

    /// <summary>Parses what <see cref="Format"/> makes; anything else is refused.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out DateTimeOffset date) =>
        DateTimeOffset.TryParseExact(
            text,
            Layout,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out date);
}
