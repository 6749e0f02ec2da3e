using System.Globalization;

namespace Benji.Cli.Output;

/// <summary>Writes bytes, rates and times the short way people read them.</summary>
/// <remarks>Pure and the same in every locale.</remarks>
internal static class Quantities
{
    private const long Kibi = 1024;

    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>Returns <c>512 B</c>, <c>4.0 MiB</c>, <c>1.5 TiB</c>: a tenth of the largest unit below the value.</summary>
    public static string Bytes(long bytes)
    {
        if (bytes is < Kibi and > -Kibi)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{bytes} B");
        }

        double value = bytes;
        var unit = 0;

        // 1023.95 would be written as 1024.0, which is the next unit's 1.0.
        while (Math.Abs(value) >= Kibi - 0.05 && unit < Units.Length - 1)
        {
            value /= Kibi;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:F1} {Units[unit]}");
    }

    /// <summary>Returns <c>0.3 s</c>, <c>12 s</c>, <c>3 min 20 s</c>, <c>2 h 5 min</c> or <c>6 d 3 h</c>.</summary>
    public static string Duration(TimeSpan duration)
    {
        if (duration < TimeSpan.FromSeconds(9.95))
        {
            return string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:F1} s");
        }

        var seconds = (long)Math.Round(duration.TotalSeconds);
        return seconds switch
        {
            < 60 => $"{seconds} s",
            < 60 * 60 => $"{seconds / 60} min {seconds % 60} s",
            < 24 * 60 * 60 => $"{seconds / 3600} h {seconds % 3600 / 60} min",
            _ => $"{seconds / 86400} d {seconds % 86400 / 3600} h",
        };
    }

    /// <summary>Returns <c>2026-11-23T04:45:01+02:00</c>: the time in a zone, with the zone; Z for UTC.</summary>
    public static string Time(DateTimeOffset time, TimeZoneInfo zone)
    {
        var local = TimeZoneInfo.ConvertTime(time, zone);
        var format = local.Offset == TimeSpan.Zero ? "yyyy-MM-ddTHH:mm:ss'Z'" : "yyyy-MM-ddTHH:mm:sszzz";
        return local.ToString(format, CultureInfo.InvariantCulture);
    }

    /// <summary>Returns bytes per second, <c>-</c> when no time has passed.</summary>
    public static string Rate(long bytes, TimeSpan duration) =>
        duration <= TimeSpan.Zero ? "-" : $"{Bytes((long)(bytes / duration.TotalSeconds))}/s";

    /// <summary>Returns <c>1 block</c>, <c>2 blocks</c>: the count with its noun.</summary>
    public static string Count(long count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";
}
