using System.Buffers;
using System.Text;
using System.Text.Json;
using Benji.Store.Model;
using Benji.Store.Transforms;

namespace Benji.Store.Blocks.Documents;

/// <summary>How the master key comes from a password.</summary>
/// <param name="Salt">8 to 1,024 random bytes.</param>
/// <param name="Iterations">1,000 to 10,000,000.</param>
internal sealed record KdfParameters(byte[] Salt, int Iterations);

/// <summary>The content of <c>store.json</c>: what store a storage holds and how its keys come about.</summary>
/// <remarks>Format: docs/format.md, "store.json".</remarks>
/// <param name="Id">The store's random id.</param>
/// <param name="IsEncrypted">True when its objects are encrypted; never changes.</param>
/// <param name="HashKey">The 32 public bytes of a store without encryption, else null.</param>
/// <param name="Kdf">How the master key comes from a password; null when it does not.</param>
/// <param name="Created">When it was made, UTC.</param>
internal sealed record StoreFile(
    Guid Id, bool IsEncrypted, byte[]? HashKey, KdfParameters? Kdf, DateTimeOffset Created)
{
    /// <summary>The most bytes of the file.</summary>
    public const int LengthMax = 65_536;

    private const string FormatName = "benji-store";
    private const int Version = 1;
    private const string What = "store.json";
    private const int CheckDigits = 2 * Hash256.Size;

    private static readonly string NoCheck = new('0', CheckDigits);

    /// <summary>Parses the file; <see cref="IsGenuine"/> then compares its check.</summary>
    /// <exception cref="ConfigurationException">It is of another program or of a newer format, or its password takes too long.
    /// </exception>
    /// <exception cref="CorruptDataException">It is not what this program writes.</exception>
    public static StoreFile Parse(ReadOnlyMemory<byte> bytes) =>
        bytes.Length <= LengthMax
            ? JsonFields.Parse(bytes, What, Read)
            : throw new CorruptDataException($"{What} has more than {LengthMax} bytes.");

    /// <summary>Says whether the file's check was made with the store's key over the rest of it.</summary>
    /// <exception cref="CorruptDataException">It has no check.</exception>
    public static bool IsGenuine(ReadOnlyMemory<byte> bytes, StoreKeys keys)
    {
        var check = JsonFields.Parse(bytes, What, fields => fields.Hash("check"));
        var copy = bytes.ToArray();
        var position = copy.AsSpan().LastIndexOf(Encoding.ASCII.GetBytes(check.ToString()));
        if (position < 0)
        {
            throw new CorruptDataException($"{What} writes its check in another way.");
        }

        Encoding.ASCII.GetBytes(NoCheck).CopyTo(copy.AsSpan(position));
        return keys.Store.Hash(copy) == check;
    }

    /// <summary>Returns the bytes of the file with its check.</summary>
    public byte[] Format(StoreKeys keys)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, JsonFields.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteString("format", FormatName);
            writer.WriteNumber("version", Version);
            writer.WriteString("id", Id.ToString("N"));
            writer.WriteBoolean("encrypted", IsEncrypted);
            writer.WriteNumber("frame_size", BlockGeometry.FrameSize);
            if (HashKey is not null)
            {
                writer.WriteString("hash_key", Convert.ToHexStringLower(HashKey));
            }

            if (Kdf is not null)
            {
                writer.WriteStartObject("kdf");
                writer.WriteBase64String("salt", Kdf.Salt);
                writer.WriteNumber("iterations", Kdf.Iterations);
                writer.WriteEndObject();
            }

            writer.WriteString("created", Timestamps.Format(Created));
            writer.WriteString("check", NoCheck);
            writer.WriteEndObject();
        }

        buffer.Write("\n"u8);
        var bytes = buffer.WrittenSpan.ToArray();
        var check = keys.Store.Hash(bytes).ToString();
        Encoding.ASCII.GetBytes(check).CopyTo(bytes.AsSpan(bytes.Length - CheckDigits - "\"}\n".Length));
        return bytes;
    }

    private static StoreFile Read(JsonFields fields)
    {
        if (fields.Text("format") != FormatName)
        {
            throw new ConfigurationException($"{What} is of format {Names.Show(fields.Text("format"))}, "
                + $"expected {FormatName}.");
        }

        if (fields.Number("version", 0, long.MaxValue) is var version and not Version)
        {
            throw new ConfigurationException(
                $"The store has format version {version}; this program reads version {Version}.");
        }

        if (fields.Number("frame_size", 0, long.MaxValue) != BlockGeometry.FrameSize)
        {
            throw fields.Wrong("frame_size", $"is not {BlockGeometry.FrameSize}");
        }

        var isEncrypted = fields.Flag("encrypted");
        if (fields.Has("hash_key") == isEncrypted)
        {
            throw fields.Wrong("hash_key", "and encrypted do not agree");
        }

        if (!isEncrypted && fields.Has("kdf"))
        {
            throw fields.Wrong("kdf", "and encrypted do not agree");
        }

        return new StoreFile(
            fields.Id("id"),
            isEncrypted,
            isEncrypted ? null : fields.Hash("hash_key").ToArray(),
            fields.Has("kdf") ? ReadKdf(fields.Object("kdf")) : null,
            fields.Date("created"));
    }

    private static KdfParameters ReadKdf(JsonFields fields)
    {
        var salt = fields.Base64("salt");
        if (salt.Length is < PasswordKey.SaltBytesMin or > PasswordKey.SaltBytesMax)
        {
            throw fields.Wrong("salt", $"has {salt.Length} bytes");
        }

        var iterations = fields.Number("iterations", PasswordKey.IterationsMin, long.MaxValue);
        return iterations <= PasswordKey.IterationsMax
            ? new KdfParameters(salt, (int)iterations)
            : throw new ConfigurationException(
                $"{What} asks for {iterations} iterations to make the key of the password; this program does at most "
                + $"{PasswordKey.IterationsMax}. Somebody altered it, or another program made it.");
    }
}
