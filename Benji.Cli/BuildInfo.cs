using System.Reflection;

namespace Benji.Cli;

/// <summary>The version and commit that this program was built from.</summary>
/// <remarks>The build writes both into one attribute, as <c>0.1.0+commit</c>; it costs reflection, so it is read only
/// where it is printed.</remarks>
internal static class BuildInfo
{
    /// <summary>The version.</summary>
    public static string Version => Informational.Split('+')[0];

    /// <summary>The commit's full hash, or <c>unknown</c> for a build outside a repository.</summary>
    public static string Commit => Informational.Split('+') is [_, var commit] ? commit : "unknown";

    private static string Informational =>
        typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? "0";
}
