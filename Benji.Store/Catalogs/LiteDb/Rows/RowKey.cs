using System.Buffers.Binary;
using System.Text;
using Benji.Store.Model;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Rows;

/// <summary>The keys of rows and indexes: bytes, as LiteDB orders those alone the same way in every culture.</summary>
internal static class RowKey
{
    /// <summary>Bytes of a moment within a key.</summary>
    public const int TimeSize = 8;

    /// <summary>The key of an id.</summary>
    public static BsonValue Of(Guid id) => new(id.ToByteArray(bigEndian: true));

    /// <summary>The key of a hash.</summary>
    public static BsonValue Of(Hash256 hash) => new(hash.ToArray());

    /// <summary>The key of a text.</summary>
    public static BsonValue Of(string text) => new(Encoding.UTF8.GetBytes(text));

    /// <summary>The key of a name below an id.</summary>
    public static BsonValue Of(Guid id, string name) =>
        new([.. id.ToByteArray(bigEndian: true), .. Encoding.UTF8.GetBytes(name)]);

    /// <summary>The key of a version in listings: its volume, its date, its name.</summary>
    public static BsonValue Of(VersionName name, DateTimeOffset date)
    {
        Span<byte> time = stackalloc byte[TimeSize];
        BinaryPrimitives.WriteInt64BigEndian(time, date.UtcTicks);
        return new([.. Encoding.UTF8.GetBytes(name.Volume), 0, .. time, .. Encoding.UTF8.GetBytes(name.Version)]);
    }

    /// <summary>The least and greatest key that the versions of a volume can have in listings.</summary>
    public static (BsonValue First, BsonValue Last) RangeOf(string volume)
    {
        var name = Encoding.UTF8.GetBytes(volume);
        return (new([.. name, 0]), new([.. name, 1]));
    }

    /// <summary>The key behind which the next one follows: the least that is greater.</summary>
    public static BsonValue After(Hash256 hash) => new([.. hash.ToArray(), 0]);

    /// <summary>The least hash, and a key greater than every hash.</summary>
    public static (BsonValue First, BsonValue Last) AllHashes { get; } = (
        new(new byte[Hash256.Size]), new([.. Enumerable.Repeat(byte.MaxValue, Hash256.Size + 1)]));

    /// <summary>The least and greatest key of texts that start so.</summary>
    public static (BsonValue First, BsonValue Last) Prefix(string prefix)
    {
        var bytes = Encoding.UTF8.GetBytes(prefix);
        // No byte of UTF-8 is 255.
        return (new(bytes), new([.. bytes, byte.MaxValue]));
    }
}
