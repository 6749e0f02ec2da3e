using Benji.Store.Images;

namespace Benji.Testing.Serving;

/// <summary>An extent map that asks a function about each unit.</summary>
public sealed class ByteExtents(long size, int unit, Func<long, bool> isMarked) : IExtentMap
{
    /// <inheritdoc/>
    public ValueTask ReadAsync(
        long offset, long length, int extentsMax, ICollection<MarkedExtent> extents, CancellationToken cancellationToken)
    {
        var end = offset + length;
        Store.Model.Invariant.Holds(offset >= 0 && length > 0 && end <= size && extentsMax > 0);
        for (var added = 0; offset < end && added < extentsMax; added++)
        {
            var marked = isMarked(offset);
            var next = offset;
            do
            {
                next = Math.Min(end, ((next / unit) + 1) * unit);
            }
            while (next < end && isMarked(next) == marked);

            extents.Add(new MarkedExtent(offset, next - offset, marked));
            offset = next;
        }

        return default;
    }
}
