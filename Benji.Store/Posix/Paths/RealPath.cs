using System.Text;

namespace Benji.Store.Posix.Paths;

/// <summary>Finds where a path leads that may not exist yet.</summary>
internal static class RealPath
{
    // PATH_MAX, and what the kernel follows at most.
    private const int LengthMax = 4096;
    private const int LinksMax = 40;

    /// <summary>Returns the absolute path without links and dots: that of what is there, or would be after a creation.</summary>
    public static string Of(string path) => Resolve(Path.Combine(Environment.CurrentDirectory, path), LinksMax);

    private static string Resolve(string path, int linksMax)
    {
        if (Find(path) is { } found)
        {
            return found;
        }

        var trimmed = path.TrimEnd('/');
        var parent = trimmed[..Math.Max(1, trimmed.LastIndexOf('/'))];
        if (linksMax > 0 && new FileInfo(trimmed).LinkTarget is { } target)
        {
            return Resolve(Path.Combine(parent, target), linksMax - 1);
        }

        return trimmed.Length <= 1
            ? "/"
            : Path.GetFullPath(Path.Combine(Resolve(parent, linksMax), trimmed[(trimmed.LastIndexOf('/') + 1)..]));
    }

    // Null when a part is missing or may not be looked at.
    private static unsafe string? Find(string path)
    {
        var buffer = new byte[LengthMax];
        fixed (byte* start = buffer)
        {
            return LibC.RealPath(path, start) == 0 ? null : Encoding.UTF8.GetString(buffer.AsSpan(0, buffer.AsSpan().IndexOf((byte)0)));
        }
    }
}
