using Benji.Store.Model;

namespace Benji.Store.Blocks.Maps;

/// <summary>One map page as it is put: its level and its entries.</summary>
/// <param name="Level">0 for a page of block ids, n for a page of pages of level n - 1.</param>
/// <param name="Content"><see cref="BlockGeometry.PageSize"/> bytes; never changed once they are given away.</param>
internal readonly record struct MapPage(int Level, byte[] Content)
{
    /// <summary>Reads entry <paramref name="position"/> of a page's content.</summary>
    public static Hash256 ReadEntry(ReadOnlySpan<byte> content, int position) =>
        new(content.Slice(position * Hash256.Size, Hash256.Size));

    /// <summary>Writes entry <paramref name="position"/> of a page's content.</summary>
    public static void WriteEntry(Span<byte> content, int position, Hash256 entry) =>
        entry.CopyTo(content.Slice(position * Hash256.Size, Hash256.Size));

    /// <summary>Lists the pages that a page above the leaves names, as often as it names them.</summary>
    public static List<PageId> ReadChildren(ReadOnlySpan<byte> content)
    {
        var children = new List<PageId>();
        for (var position = 0; position < BlockGeometry.PageEntries; position++)
        {
            var child = new PageId(ReadEntry(content, position));
            if (!child.IsHole)
            {
                children.Add(child);
            }
        }

        return children;
    }

    /// <summary>True when every entry is a hole.</summary>
    public static bool IsHole(ReadOnlySpan<byte> content) => !content.ContainsAnyExcept((byte)0);
}
