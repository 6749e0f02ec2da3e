using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Benji.Store.Model;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Rows;

/// <summary>Packs one row's values into the bytes of its one content field: LiteDB's cost is per field.</summary>
/// <remarks>Little-endian; texts and lists are preceded by their length as a u16. Read back by <see cref="RowReader"/> in
/// the same order.</remarks>
/// <param name="capacity">Bytes that are expected; more find room too.</param>
internal sealed class RowWriter(int capacity = 256)
{
    private readonly ArrayBufferWriter<byte> _bytes = new(capacity);

    /// <summary>Bytes packed so far.</summary>
    public int Length => _bytes.WrittenCount;

    /// <summary>Appends a small number or a flag.</summary>
    public RowWriter Byte(int value)
    {
        _bytes.GetSpan(1)[0] = checked((byte)value);
        _bytes.Advance(1);
        return this;
    }

    /// <summary>Appends a flag.</summary>
    public RowWriter Flag(bool value) => Byte(value ? 1 : 0);

    /// <summary>Appends a length or count.</summary>
    public RowWriter Short(int value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.GetSpan(2), checked((ushort)value));
        _bytes.Advance(2);
        return this;
    }

    /// <summary>Appends a number.</summary>
    public RowWriter Number(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.GetSpan(8), value);
        _bytes.Advance(8);
        return this;
    }

    /// <summary>Appends a measured value.</summary>
    public RowWriter Real(double value) => Number(BitConverter.DoubleToInt64Bits(value));

    /// <summary>Appends a moment as UTC ticks of 100 ns.</summary>
    public RowWriter Time(DateTimeOffset value) => Number(value.UtcTicks);

    /// <summary>Appends a text in UTF-8, of at most 65535 bytes.</summary>
    public RowWriter Text(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        Short(length);
        return Raw(Encoding.UTF8.GetBytes(value));
    }

    /// <summary>Appends an id of 16 bytes.</summary>
    public RowWriter Id(Guid value) => Raw(value.ToByteArray(bigEndian: true));

    /// <summary>Appends a hash.</summary>
    public RowWriter Hash(Hash256 value)
    {
        value.CopyTo(_bytes.GetSpan(Hash256.Size));
        _bytes.Advance(Hash256.Size);
        return this;
    }

    /// <summary>Appends an age mark.</summary>
    public RowWriter Mark(AgeMark value) => Number(value.Number).Id(value.Token);

    /// <summary>Appends age marks.</summary>
    public RowWriter Marks(IReadOnlyCollection<AgeMark> values)
    {
        Short(values.Count);
        foreach (var value in values)
        {
            Mark(value);
        }

        return this;
    }

    /// <summary>Appends bytes without their length, for the end of a row.</summary>
    public RowWriter Raw(ReadOnlySpan<byte> value)
    {
        _bytes.Write(value);
        return this;
    }

    /// <summary>Appends zeros.</summary>
    public RowWriter Zeros(int count)
    {
        _bytes.GetSpan(count)[..count].Clear();
        _bytes.Advance(count);
        return this;
    }

    /// <summary>Returns what was packed.</summary>
    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

    /// <summary>Returns what was packed, as the content of a row.</summary>
    public BsonValue ToValue() => new(ToArray());
}
