using System.Numerics;
using Benji.Store.Catalogs.LiteDb.Rows;
using Benji.Store.Model;

namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>A row to be put into its group, or null in the place of one to be taken out.</summary>
internal readonly record struct BlockChange(BlockId Id, BlockRow? Row);

/// <summary>The rows of all blocks whose ids begin with the same 16 bits, in the order of their ids, as the bytes of one
/// document.</summary>
/// <remarks>Each row is preceded by its length as a u16 and begins with its id; a length of zero ends them, and zeros
/// follow. Groups keep LiteDB's index at 65,536 entries however many blocks there are, and the zeros let most changes
/// stay in their place: a document that grows bit by bit is scattered over as many pages. Decision:
/// docs/decisions/0013.</remarks>
internal static class BlockGroup
{
    /// <summary>The greatest key of a group; the least is 0.</summary>
    public const int KeyMax = ushort.MaxValue;

    private const int GranuleMin = 512;
    private const int EndSize = sizeof(ushort);

    /// <summary>A group without rows.</summary>
    public static ReadOnlySpan<byte> Empty => new byte[EndSize];

    /// <summary>The key of the group that a block belongs to: the first 16 bits of its id, in the order of ids.</summary>
    public static int KeyOf(BlockId id)
    {
        var first = id.Hash.Fingerprint;
        return (int)(((first & 0xFF) << 8) | ((first >> 8) & 0xFF));
    }

    /// <summary>Finds one row; null when it is not there.</summary>
    /// <exception cref="CatalogException">The group is damaged.</exception>
    public static BlockRow? Find(ReadOnlySpan<byte> group, BlockId id)
    {
        var rows = new RowReader(group);
        while (NextRow(ref rows) is { IsEmpty: false } bytes)
        {
            var row = new RowReader(bytes);
            if (ReadId(ref row) == id.Hash)
            {
                return Unpack(id, row);
            }
        }

        return null;
    }

    /// <summary>Adds the rows behind an id to a list, until it is full.</summary>
    /// <param name="group">The group.</param>
    /// <param name="after">Only ids behind this one; null for all.</param>
    /// <param name="list">Where they are added.</param>
    /// <param name="count">The rows the list may have.</param>
    public static void List(ReadOnlySpan<byte> group, BlockId? after, List<BlockRow> list, int count)
    {
        var rows = new RowReader(group);
        while (list.Count < count && NextRow(ref rows) is { IsEmpty: false } bytes)
        {
            var row = new RowReader(bytes);
            var id = new BlockId(ReadId(ref row));
            if (after is null || id.Hash > after.Value.Hash)
            {
                list.Add(Unpack(id, row));
            }
        }
    }

    /// <summary>Returns a group with some rows put in or taken out; no bytes when none is left.</summary>
    /// <param name="group">The group, or <see cref="Empty"/>.</param>
    /// <param name="changes">The changes in the order of their ids; of two for one id the later holds.</param>
    public static byte[] Merge(ReadOnlySpan<byte> group, IReadOnlyList<BlockChange> changes)
    {
        var merged = new RowWriter(group.Length + GranuleMin);
        var rows = new RowReader(group);
        var next = 0;
        while (NextRow(ref rows) is { IsEmpty: false } bytes)
        {
            var row = new RowReader(bytes);
            var id = ReadId(ref row);
            var isChanged = false;
            for (; next < changes.Count && changes[next].Id.Hash <= id; next++)
            {
                isChanged |= changes[next].Id.Hash == id;
                AppendUnlessRepeated(merged, changes, next);
            }

            if (!isChanged)
            {
                merged.Short(bytes.Length).Raw(bytes);
            }
        }

        for (; next < changes.Count; next++)
        {
            AppendUnlessRepeated(merged, changes, next);
        }

        return merged.Length == 0 ? [] : merged.Zeros(CapacityOf(merged.Length) - merged.Length).ToArray();
    }

    private static ReadOnlySpan<byte> NextRow(ref RowReader rows)
    {
        try
        {
            return rows.Bytes(rows.Short());
        }
        catch (CatalogException fault)
        {
            throw CatalogDamage.OfRow(LiteDbSchema.Blocks, fault);
        }
    }

    private static Hash256 ReadId(ref RowReader row)
    {
        try
        {
            return row.Hash();
        }
        catch (CatalogException fault)
        {
            throw CatalogDamage.OfRow(LiteDbSchema.Blocks, fault);
        }
    }

    // Steps of an eighth to a quarter: a group that grows from nothing to n rows changes its place log n times.
    private static int CapacityOf(int length)
    {
        var granule = Math.Max(GranuleMin, (int)BitOperations.RoundUpToPowerOf2((uint)length) / 8);
        return (length + EndSize + granule - 1) / granule * granule;
    }

    private static void AppendUnlessRepeated(RowWriter merged, IReadOnlyList<BlockChange> changes, int index)
    {
        var isRepeated = index + 1 < changes.Count && changes[index + 1].Id == changes[index].Id;
        if (!isRepeated && changes[index].Row is { } row)
        {
            var bytes = Pack(row);
            merged.Short(bytes.Length).Raw(bytes);
        }
    }

    private static byte[] Pack(BlockRow block)
    {
        var row = new RowWriter()
            .Hash(block.Id.Hash)
            .Text(block.Storage)
            .Byte((int)block.Form)
            .Number(block.Length)
            .Number(block.Allocated)
            .Number(block.StoredLength)
            .Byte((block.Marks << 1) | (block.IsInvalid ? 1 : 0))
            .Byte((int)block.State)
            .Time(block.Since)
            .Flag(block.Own is not null);
        if (block.Own is not null)
        {
            row.Raw(block.Own.ToBits());
        }

        foreach (var loan in block.Loans)
        {
            row.Hash(loan.Lender.Hash).Raw(loan.Frames.ToBits());
        }

        return row.ToArray();
    }

    private static BlockRow Unpack(BlockId id, RowReader row)
    {
        try
        {
            return Read(id, row);
        }
#pragma warning disable CA1031 // A damaged row makes the types of its values throw anything.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            throw CatalogDamage.OfRow(LiteDbSchema.Blocks, fault);
        }
    }

    private static BlockRow Read(BlockId id, RowReader row)
    {
        var storage = row.Text();
        var form = (BlockForm)row.Choice((int)BlockForm.Delta);
        var length = row.Int();
        var frames = FrameCountOf(length);
        var allocated = (int)row.Count(int.MaxValue);
        var storedLength = row.Count();
        var marks = row.Byte();
        var state = (ReferenceState)row.Choice((int)ReferenceState.Orphan);
        var since = row.Time();
        var own = row.Flag() ? FrameSet.FromBits(frames, row.Bytes(FrameSet.SizeOf(frames))) : null;
        var loans = new List<Loan>();
        while (!row.IsAtEnd)
        {
            loans.Add(new Loan(
                new BlockId(row.Hash()), FrameSet.FromBits(frames, row.Bytes(FrameSet.SizeOf(frames)))));
        }

        return new BlockRow(
            id, storage, form, length, allocated, storedLength, loans, own, (marks & 1) != 0, state, since)
        {
            Marks = marks >> 1,
        };
    }

    private static int FrameCountOf(int length) => length is >= 0 and <= BlockGeometry.BlockSizeMax
        ? BlockGeometry.FrameCount(length)
        : throw new CatalogException($"A row of the catalog has a block of {length} bytes.");
}
