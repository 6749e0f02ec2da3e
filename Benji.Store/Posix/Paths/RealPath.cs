namespace Benji.Store.Posix.Paths;

/// <summary>Finds where a path leads that may not exist yet.</summary>
internal static class RealPath
{
    // What the kernel follows at most.
    private const int LinksMax = 40;

    /// <summary>Returns the absolute path without links and dots: that of what is there, or would be after a creation.</summary>
    /// <param name="path">The path; a relative one starts from the current directory.</param>
    /// <param name="left">Mounts of which the remote ones are not looked into, as their server may never answer; null to look
    /// everywhere.</param>
    public static string Of(string path, MountMap? left = null)
    {
        var parts = new Stack<string>();
        Push(parts, path.StartsWith('/') ? path : Path.Combine(Environment.CurrentDirectory, path));
        var at = "";
        for (var links = 0; parts.TryPop(out var part);)
        {
            if (part == "..")
            {
                at = at[..Math.Max(0, at.LastIndexOf('/'))];
                continue;
            }

            var next = $"{at}/{part}";
            if (links < LinksMax && left?.IsRemote(next) != true && new FileInfo(next).LinkTarget is { } target)
            {
                links++;
                at = target.StartsWith('/') ? "" : at;
                Push(parts, target);
            }
            else
            {
                at = next;
            }
        }

        return at.Length == 0 ? "/" : at;
    }

    private static void Push(Stack<string> parts, string path)
    {
        foreach (var part in path.Split('/').Where(part => part is not ("" or ".")).Reverse())
        {
            parts.Push(part);
        }
    }
}
