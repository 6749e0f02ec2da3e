using System.Globalization;
using Benji.Store.Model;

namespace Benji.Cli.Commands;

/// <summary>Turns the texts of arguments into numbers, sizes and times, or says what is wrong with them.</summary>
internal static class ArgumentValues
{
    private const int DaysMax = 100 * 365;

    /// <summary>Reads bytes: digits with an optional K, M or G (KiB, MiB, GiB mean the same).</summary>
    /// <exception cref="UsageException">It is no size, or more than an int holds.</exception>
    public static int Size(string option, string text) => (int)Size(option, text, int.MaxValue);

    /// <summary>Reads bytes, as many as <paramref name="most"/>.</summary>
    /// <exception cref="UsageException">It is no size, or more.</exception>
    public static long Size(string option, string text, long most)
    {
        var digits = CountDigits(text);
        long? unit = text[digits..].ToUpperInvariant() switch
        {
            "" or "B" => 1,
            "K" or "KIB" => 1024,
            "M" or "MIB" => 1024 * 1024,
            "G" or "GIB" => 1024 * 1024 * 1024,
            _ => null,
        };
        if (unit is { } factor
            && int.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number * factor <= most)
        {
            return number * factor;
        }

        throw new UsageException($"{option} {Names.Show(text)} is not a size: write bytes, or a number with K, M or G.");
    }

    /// <summary>Reads a whole number of percent from 1 to 100.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public static int Percentage(string option, string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var percentage)
            && percentage is >= 1 and <= 100)
        {
            return percentage;
        }

        throw new UsageException($"{option} {Names.Show(text)} is not a whole number from 1 to 100.");
    }

    /// <summary>Reads a time span: digits followed by s, m, h, d or w.</summary>
    /// <exception cref="UsageException">It is none, or longer than a hundred years.</exception>
    public static TimeSpan Duration(string option, string text)
    {
        var digits = CountDigits(text);
        TimeSpan? unit = text[digits..] switch
        {
            "s" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            "d" => TimeSpan.FromDays(1),
            "w" => TimeSpan.FromDays(7),
            _ => null,
        };
        if (unit is { } factor
            && uint.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number * factor.TotalDays <= DaysMax)
        {
            return number * factor;
        }

        throw new UsageException(
            $"{option} {Names.Show(text)} is not a duration: write a number with s, m, h, d or w, as in 30m, 2h or 6d.");
    }

    private static int CountDigits(string text)
    {
        var count = 0;
        while (count < text.Length && char.IsAsciiDigit(text[count]))
        {
            count++;
        }

        return count;
    }
}
