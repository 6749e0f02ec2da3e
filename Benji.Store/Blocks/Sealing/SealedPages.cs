using Benji.Store.Model;
using Benji.Store.Transforms;

namespace Benji.Store.Blocks.Sealing;

/// <summary>Seals and opens map pages.</summary>
/// <remarks>Safe for concurrent calls. Format: docs/format.md, "Block map".</remarks>
internal sealed class SealedPages(StoreKeys keys, Sealer sealer, Opener opener)
{
    /// <summary>The most bytes that a page's object has.</summary>
    public static int ObjectLengthMax { get; } = SealedHeader.ObjectLengthMax(BlockGeometry.PageSize);

    /// <summary>Returns the id of a page; a page of holes gives <see cref="PageId.Hole"/>, which has no object.</summary>
    /// <param name="level">0 for a page of block ids.</param>
    /// <param name="content"><see cref="BlockGeometry.PageSize"/> bytes.</param>
    public PageId ComputeId(int level, ReadOnlySpan<byte> content) => BlockIds.ComputePage(keys, level, content);

    /// <summary>Seals a page that is no hole.</summary>
    /// <returns>The bytes of the object, which the caller disposes.</returns>
    public BlockBuffer Seal(PageId id, int level, ReadOnlySpan<byte> content)
    {
        Invariant.Holds(content.Length == BlockGeometry.PageSize && !id.IsHole);
        Span<byte> hash = stackalloc byte[Hash256.Size];
        keys.Frames.HashFrames(content, hash);
        var plan = new SealPlan { Kind = ObjectKind.MapPage, Name = id.Hash, Level = level, Hashes = hash };
        return sealer.Seal(plan, content, out _);
    }

    /// <summary>Opens a page's object and compares it with its id.</summary>
    /// <param name="id">The page that was asked for.</param>
    /// <param name="level">Its level.</param>
    /// <param name="bytes">All bytes of the object, which are overwritten.</param>
    /// <returns><see cref="BlockGeometry.PageSize"/> bytes.</returns>
    /// <exception cref="CorruptDataException">It is not that page or is damaged.</exception>
    public byte[] Open(PageId id, int level, Span<byte> bytes)
    {
        var expected = new ExpectedObject(
            ObjectNames.Page(id), ObjectKind.MapPage, id.Hash, BlockGeometry.PageSize, level);
        var content = opener.OpenWhole(expected, bytes, out _);
        return ComputeId(level, content) == id
            ? content
            : throw HeaderParser.Corrupt(expected, "content that does not hash to its name");
    }
}
