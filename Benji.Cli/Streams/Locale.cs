namespace Benji.Cli.Streams;

/// <summary>What the locale says about the terminal's characters.</summary>
internal static class Locale
{
    /// <summary>True when text is UTF-8. The first variable that says anything counts. Source: POSIX.1-2017, section 8.2.</summary>
    /// <param name="variable">Returns an environment variable, or null.</param>
    public static bool IsUtf8(Func<string, string?> variable)
    {
        string[] names = ["LC_ALL", "LC_CTYPE", "LANG"];
        var locale = names.Select(variable).FirstOrDefault(value => !string.IsNullOrEmpty(value)) ?? "C";
        return locale.Contains("UTF-8", StringComparison.OrdinalIgnoreCase)
            || locale.Contains("UTF8", StringComparison.OrdinalIgnoreCase);
    }
}
