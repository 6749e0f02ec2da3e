using System.Text.Encodings.Web;
using System.Text.Json;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Documents;

/// <summary>The members of one JSON object from a storage, each read as what it must be.</summary>
/// <remarks>Every method throws <see cref="CorruptDataException"/> for a member that is missing or of another type.</remarks>
internal readonly struct JsonFields
{
    private const int DepthMax = 8;

    private readonly JsonElement _element;
    private readonly string _what;

    private JsonFields(JsonElement element, string what)
    {
        _element = element;
        _what = what;
    }

    /// <summary>How this program writes JSON: no line breaks, and only what must be is escaped.</summary>
    public static JsonWriterOptions WriterOptions { get; } =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static JsonDocumentOptions ReaderOptions => new() { MaxDepth = DepthMax, AllowDuplicateProperties = false };

    /// <summary>Parses one JSON object and hands its members to <paramref name="read"/>.</summary>
    /// <param name="bytes">UTF-8, of a length that the caller bounded.</param>
    /// <param name="what">What it is, for messages.</param>
    /// <param name="read">Makes a value of the members; nothing of them is kept.</param>
    /// <exception cref="CorruptDataException">It is not what <paramref name="read"/> asks for.</exception>
    public static T Parse<T>(ReadOnlyMemory<byte> bytes, string what, Func<JsonFields, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes, ReaderOptions);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? read(new JsonFields(document.RootElement, what))
                : throw new CorruptDataException($"{what} is no JSON object.");
        }
        catch (JsonException exception)
        {
            throw new CorruptDataException($"{what} is no JSON: {exception.Message}", exception);
        }
        catch (InvalidOperationException exception)
        {
            // Text that is no UTF-8 shows only when it is read.
            throw new CorruptDataException($"{what} has text that is no UTF-8: {exception.Message}", exception);
        }
    }

    /// <summary>True when the object has a member of that name.</summary>
    public bool Has(string name) => _element.TryGetProperty(name, out _);

    /// <summary>Reads a text.</summary>
    public string Text(string name) => Member(name, JsonValueKind.String).GetString()!;

    /// <summary>Reads a whole number between two bounds.</summary>
    public long Number(string name, long min, long max) =>
        Member(name, JsonValueKind.Number).TryGetInt64(out var number) && number >= min && number <= max
            ? number
            : throw Wrong(name, $"is not a whole number between {min} and {max}");

    /// <summary>Reads a number of 0 or more, possibly with a fraction.</summary>
    public double Fraction(string name) =>
        Member(name, JsonValueKind.Number).TryGetDouble(out var number) && double.IsFinite(number) && number >= 0
            ? number
            : throw Wrong(name, "is not a number of 0 or more");

    /// <summary>Reads <c>true</c> or <c>false</c>.</summary>
    public bool Flag(string name) => Member(name, null).ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(name, "is neither true nor false"),
    };

    /// <summary>Reads a date.</summary>
    public DateTimeOffset Date(string name) =>
        Timestamps.TryParse(Text(name), out var date) ? date : throw Wrong(name, "is no date");

    /// <summary>Reads 64 hexadecimal digits.</summary>
    public Hash256 Hash(string name) =>
        Hash256.TryParse(Text(name), out var hash) ? hash : throw Wrong(name, "is not 64 hexadecimal digits");

    /// <summary>Reads an id of 32 lower-case hexadecimal digits.</summary>
    public Guid Id(string name)
    {
        var text = Text(name);
        return Guid.TryParseExact(text, "N", out var id) && text == id.ToString("N") && id != Guid.Empty
            ? id
            : throw Wrong(name, "is no id");
    }

    /// <summary>Reads bytes in base64.</summary>
    public byte[] Base64(string name) =>
        Member(name, JsonValueKind.String).TryGetBytesFromBase64(out var bytes) ? bytes : throw Wrong(name, "is no base64");

    /// <summary>Reads an object.</summary>
    public JsonFields Object(string name) => new(Member(name, JsonValueKind.Object), $"{_what}, {name}");

    /// <summary>True when the member is <c>null</c>.</summary>
    public bool IsNull(string name) => Member(name, null).ValueKind == JsonValueKind.Null;

    /// <summary>Returns the names of all members.</summary>
    public IEnumerable<string> Names() => _element.EnumerateObject().Select(member => member.Name);

    /// <summary>Returns the failure of a member.</summary>
    public CorruptDataException Wrong(string name, string why) => new($"{_what}: {name} {why}.");

    private JsonElement Member(string name, JsonValueKind? kind)
    {
        if (!_element.TryGetProperty(name, out var member))
        {
            throw Wrong(name, "is missing");
        }

        return kind is null || member.ValueKind == kind ? member : throw Wrong(name, $"is no {kind}");
    }
}
