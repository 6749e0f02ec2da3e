using System.Diagnostics;
using Benji.Store.Model;

namespace Benji.Testing;

/// <summary>Gives a file a second name.</summary>
public static class HardLink
{
    /// <summary>Makes <paramref name="path"/> another name of <paramref name="file"/>.</summary>
    public static void Make(string file, string path)
    {
        using var made = Process.Start("ln", [file, path]);
        made.WaitForExit();
        Invariant.Holds(made.ExitCode == 0);
    }
}
