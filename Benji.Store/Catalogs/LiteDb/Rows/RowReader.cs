using System.Buffers.Binary;
using System.Text;
using Benji.Store.Model;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Rows;

/// <summary>Unpacks what <see cref="RowWriter"/> packed, in the same order.</summary>
internal ref struct RowReader
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _rest;

    /// <summary>Starts at the content of a row.</summary>
    public RowReader(BsonDocument row) => _rest = row[LiteDbSchema.Value].AsBinary;

    /// <summary>Starts at the first byte of some values.</summary>
    public RowReader(ReadOnlySpan<byte> values) => _rest = values;

    /// <summary>True when everything was read.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>Reads a small number.</summary>
    public int Byte() => Bytes(1)[0];

    /// <summary>Reads a flag.</summary>
    public bool Flag() => Choice(1) != 0;

    /// <summary>Reads a small number from 0 to <paramref name="max"/>.</summary>
    public int Choice(int max)
    {
        var value = Byte();
        return value <= max
            ? value
            : throw new CatalogException($"A row of the catalog has {value} where {max} is the most.");
    }

    /// <summary>Reads a length or count.</summary>
    public int Short() => BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2));

    /// <summary>Reads a number.</summary>
    public long Number() => BinaryPrimitives.ReadInt64LittleEndian(Bytes(8));

    /// <summary>Reads a number of at most 31 bits.</summary>
    public int Int()
    {
        var value = Number();
        return value is >= int.MinValue and <= int.MaxValue
            ? (int)value
            : throw new CatalogException($"A row of the catalog has {value} where a smaller number belongs.");
    }

    /// <summary>Reads a number from 0 to <paramref name="max"/>.</summary>
    public long Count(long max = long.MaxValue)
    {
        var value = Number();
        return value >= 0 && value <= max
            ? value
            : throw new CatalogException($"A row of the catalog has {value} where a number from 0 to {max} belongs.");
    }

    /// <summary>Reads a measured value.</summary>
    public double Real() => BitConverter.Int64BitsToDouble(Number());

    /// <summary>Reads a moment.</summary>
    public DateTimeOffset Time()
    {
        var ticks = Number();
        return ticks >= 0 && ticks <= DateTimeOffset.MaxValue.Ticks
            ? new(ticks, TimeSpan.Zero)
            : throw new CatalogException($"A row of the catalog has the moment {ticks}.");
    }

    /// <summary>Reads a text.</summary>
    public string Text() => Strict.GetString(Bytes(Short()));

    /// <summary>Reads an id of 16 bytes.</summary>
    public Guid Id() => new(Bytes(16), bigEndian: true);

    /// <summary>Reads a hash.</summary>
    public Hash256 Hash() => new(Bytes(Hash256.Size));

    /// <summary>Reads an age mark.</summary>
    public AgeMark Mark() => new(Number(), Id());

    /// <summary>Reads age marks.</summary>
    public AgeMark[] Marks()
    {
        var count = Short();
        var marks = count == 0 ? [] : new AgeMark[count];
        for (var i = 0; i < marks.Length; i++)
        {
            marks[i] = Mark();
        }

        return marks;
    }

    /// <summary>Returns a value after which a row has nothing more.</summary>
    public readonly T End<T>(T value) => IsAtEnd
        ? value
        : throw new CatalogException($"A row of the catalog has {_rest.Length} bytes after its end.");

    /// <summary>Reads all that is left.</summary>
    public ReadOnlySpan<byte> Rest() => Bytes(_rest.Length);

    /// <summary>Reads so many bytes.</summary>
    public ReadOnlySpan<byte> Bytes(int length)
    {
        if (length > _rest.Length)
        {
            throw new CatalogException($"A row of the catalog ends {length - _rest.Length} bytes early.");
        }

        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
