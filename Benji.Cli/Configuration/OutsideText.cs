using System.Text;
using System.Text.Unicode;
using Benji.Store.Model;

namespace Benji.Cli.Configuration;

/// <summary>Refuses arguments and variables that are not UTF-8.</summary>
/// <remarks>.NET puts U+FFFD in the place of bytes that are not: what is left names another file, or none. Only where that
/// character is met the bytes themselves are looked at, as /proc has them.</remarks>
internal static class OutsideText
{
    private const char Replacement = '\ufffd';

    /// <summary>Refuses arguments that are not UTF-8.</summary>
    /// <param name="arguments">As .NET decoded them.</param>
    /// <param name="readProcess">Returns the bytes of a file of /proc/self.</param>
    /// <exception cref="UsageException">One is not.</exception>
    public static void CheckArguments(IReadOnlyList<string> arguments, Func<string, byte[]> readProcess)
    {
        if (arguments.Any(IsDoubtful) && FindInvalid(readProcess("cmdline"), start: []) is { } found)
        {
            throw Refusal($"Argument {Names.Show(found)}");
        }
    }

    /// <summary>Returns the value of a variable, or null where it is not set.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">As .NET decoded it.</param>
    /// <param name="readProcess">Returns the bytes of a file of /proc/self.</param>
    /// <exception cref="UsageException">It is not UTF-8.</exception>
    public static string? CheckVariable(string name, string? value, Func<string, byte[]> readProcess) =>
        value is not null && IsDoubtful(value) && FindInvalid(readProcess("environ"), Encoding.UTF8.GetBytes($"{name}=")) is not null
            ? throw Refusal($"Variable {name}")
            : value;

    private static bool IsDoubtful(string text) => text.Contains(Replacement, StringComparison.Ordinal);

    // The texts stand one after the other, a zero byte after each.
    private static string? FindInvalid(ReadOnlySpan<byte> texts, ReadOnlySpan<byte> start)
    {
        foreach (var range in texts.Split((byte)0))
        {
            var text = texts[range];
            if (text.StartsWith(start) && !Utf8.IsValid(text))
            {
                return Encoding.UTF8.GetString(text);
            }
        }

        return null;
    }

    private static UsageException Refusal(string what) =>
        new($"{what} is not UTF-8, and could be taken for another name: give the file one in UTF-8, or a link to it.");
}
