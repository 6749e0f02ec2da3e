using Benji.Store.Images;

namespace Benji.Testing.Serving;

/// <summary>Reads images in one line.</summary>
public static class ImageReading
{
    /// <summary>Reads a range, at once where that is possible.</summary>
    public static async Task<byte[]> ReadBytesAsync(this IImage image, long offset, int length)
    {
        using var pieces = new ImagePieces();
        if (!image.TryRead(offset, length, pieces))
        {
            await image.ReadAsync(offset, length, pieces, CancellationToken.None);
        }

        var bytes = new byte[length];
        pieces.CopyTo(bytes);
        return bytes;
    }

    /// <summary>Reads all.</summary>
    public static Task<byte[]> ReadAllAsync(this IImage image) => image.ReadBytesAsync(0, (int)image.Size);

    /// <summary>Lists the extents of a range as the map tells them, in as many calls as it takes.</summary>
    public static async Task<List<MarkedExtent>> ListAsync(this IExtentMap map, long offset, long length, int extentsMax = 1000)
    {
        var all = new List<MarkedExtent>();
        for (var end = offset + length; offset < end; offset = all[^1].End)
        {
            await map.ReadAsync(offset, end - offset, extentsMax, all, CancellationToken.None);
        }

        return all;
    }
}
