using System.Buffers;
using Benji.Store.Model;

namespace Benji.Store.Storages;

/// <summary>The name of an object: parts joined by slashes, safe as a relative path.</summary>
/// <remarks>At most 255 bytes a part and 1,000 in all; no part starts with a dot. Format: docs/format.md, "Objects".</remarks>
internal readonly record struct ObjectName
{
    /// <summary>Bytes in a name.</summary>
    public const int LengthMax = 1000;

    private const int PartLengthMax = 255;

    private static readonly SearchValues<char> Allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:+-@");

    /// <summary>Takes a name that the program made itself; a bad one is a bug.</summary>
    public ObjectName(string value)
    {
        Invariant.Holds(IsValid(value));
        Value = value;
    }

    /// <summary>The name.</summary>
    public string Value { get; }

    /// <summary>True when <paramref name="value"/> could be an object's name; a listing skips what could not.</summary>
    public static bool IsValid(string value) =>
        value.Length is > 0 and <= LengthMax && value.Split('/').All(IsPart);

    /// <summary>Returns the name.</summary>
    public override string ToString() => Value;

    private static bool IsPart(string part) =>
        part.Length is > 0 and <= PartLengthMax && part[0] != '.' && !part.AsSpan().ContainsAnyExcept(Allowed);
}
