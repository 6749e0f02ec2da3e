using System.Buffers.Binary;
using System.Text;
using Benji.Store.Model;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>Unpacks what <see cref="RowWriter"/> packed, in the same order.</summary>
internal ref struct RowReader
{
    private ReadOnlySpan<byte> _rest;

    /// <summary>Starts at the content of a row.</summary>
    public RowReader(BsonDocument row) => _rest = row[LiteDbSchema.Value].AsBinary;

    /// <summary>True when everything was read.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>Reads a small number.</summary>
    public int Byte() => Take(1)[0];

    /// <summary>Reads a flag.</summary>
    public bool Flag() => Byte() != 0;

    /// <summary>Reads a length or count.</summary>
    public int Short() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    /// <summary>Reads a number.</summary>
    public long Number() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    /// <summary>Reads a measured value.</summary>
    public double Real() => BitConverter.Int64BitsToDouble(Number());

    /// <summary>Reads a moment.</summary>
    public DateTimeOffset Time() => new(Number(), TimeSpan.Zero);

    /// <summary>Reads a text.</summary>
    public string Text() => Encoding.UTF8.GetString(Take(Short()));

    /// <summary>Reads an id of 16 bytes.</summary>
    public Guid Id() => new(Take(16), bigEndian: true);

    /// <summary>Reads a hash.</summary>
    public Hash256 Hash() => new(Take(Hash256.Size));

    /// <summary>Reads all that is left.</summary>
    public ReadOnlySpan<byte> Rest() => Take(_rest.Length);

    private ReadOnlySpan<byte> Take(int length)
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
