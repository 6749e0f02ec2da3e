using System.Text.Json;
using Benji.Store.Model;

namespace Benji.Store.Sources;

/// <summary>Turns the JSON tokens of change hints into a map, keeping its place between pieces of the file.</summary>
/// <remarks>Not safe for concurrent calls.</remarks>
internal sealed class HintParser(string description, long size)
{
    private enum Member
    {
        None,
        Offset,
        Length,
        Exists,
        Ignored,
    }

    private enum Fault
    {
        NoArray,
        NoObject,
        TooMany,
        Missing,
        Twice,
        NotPlain,
        NotWhole,
        NotTruth,
        BehindEnd,
    }

    private readonly HintMapBuilder _builder = new();
    private Member _member;
    private long? _offset;
    private long? _length;
    private bool? _exists;

    /// <summary>The number of the extent being read, counted from 1; extents completed before the first.</summary>
    internal int Index { get; private set; }

    /// <summary>Takes every whole token that the reader holds.</summary>
    /// <exception cref="InputDataException">A token does not belong where it stands.</exception>
    /// <exception cref="JsonException">The bytes are not JSON.</exception>
    internal void Parse(ref Utf8JsonReader reader)
    {
        while (reader.Read())
        {
            switch (reader.CurrentDepth)
            {
                case 0:
                    Check(reader.TokenType is JsonTokenType.StartArray or JsonTokenType.EndArray, Fault.NoArray);
                    break;
                case 1 when reader.TokenType == JsonTokenType.StartObject:
                    Begin();
                    break;
                case 1:
                    Check(reader.TokenType == JsonTokenType.EndObject, Fault.NoObject);
                    End();
                    break;
                case 2 when reader.TokenType == JsonTokenType.PropertyName:
                    _member = MemberOf(ref reader);
                    break;
                case 2:
                    Take(ref reader);
                    break;
                default:
                    // Inside a member that is ignored as a whole.
                    Check(_member == Member.Ignored, Fault.NotPlain);
                    break;
            }
        }
    }

    /// <summary>Returns the map after the last token.</summary>
    internal HintMap Finish() => _builder.Build();

    private void Begin()
    {
        Check(Index < HintReader.ExtentsMax, Fault.TooMany);
        Index++;
        _member = Member.None;
        _offset = null;
        _length = null;
        _exists = null;
    }

    private static Member MemberOf(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("offset"u8))
        {
            return Member.Offset;
        }

        if (reader.ValueTextEquals("length"u8))
        {
            return Member.Length;
        }

        return reader.ValueTextEquals("exists"u8) ? Member.Exists : Member.Ignored;
    }

    private void Take(ref Utf8JsonReader reader)
    {
        switch (_member)
        {
            case Member.Offset:
                Check(_offset is null, Fault.Twice);
                _offset = Number(ref reader);
                break;
            case Member.Length:
                Check(_length is null, Fault.Twice);
                _length = Number(ref reader);
                break;
            case Member.Exists:
                Check(_exists is null, Fault.Twice);
                _exists = Truth(ref reader);
                break;
            default:
                break;
        }
    }

    private long Number(ref Utf8JsonReader reader)
    {
        var value = 0L;
        var isWhole = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out value) && value >= 0;
        Check(isWhole, Fault.NotWhole);
        return value;
    }

    private bool Truth(ref Utf8JsonReader reader)
    {
        var isText = reader.TokenType == JsonTokenType.String;
        var isTrue = reader.TokenType == JsonTokenType.True || (isText && reader.ValueTextEquals("true"u8));
        var isFalse = reader.TokenType == JsonTokenType.False || (isText && reader.ValueTextEquals("false"u8));
        Check(isTrue || isFalse, Fault.NotTruth);
        return isTrue;
    }

    private void End()
    {
        Check(_offset is not null && _length is not null && _exists is not null, Fault.Missing);
        var (offset, length) = (_offset.GetValueOrDefault(), _length.GetValueOrDefault());
        Check(length <= size && offset <= size - length, Fault.BehindEnd);
        _builder.Add(new Extent(offset, length, _exists.GetValueOrDefault() ? ExtentKind.Data : ExtentKind.Hole));
    }

    private void Check(bool condition, Fault fault)
    {
        if (!condition)
        {
            throw new InputDataException($"Hints {Names.Show(description)} are not valid: {Describe(fault)}.");
        }
    }

    private string Describe(Fault fault)
    {
        var member = _member.ToString().ToLowerInvariant();
        return fault switch
        {
            Fault.NoArray => "the outermost value is no array",
            Fault.NoObject => $"element {Index + 1} is no object",
            Fault.TooMany => $"there are more than {HintReader.ExtentsMax} extents",
            Fault.Missing => $"extent {Index} lacks offset, length or exists",
            Fault.Twice => $"extent {Index} has '{member}' twice",
            Fault.NotPlain => $"'{member}' of extent {Index} is no plain value",
            Fault.NotWhole => $"'{member}' of extent {Index} is no whole number from 0 to {long.MaxValue}",
            Fault.NotTruth => $"'exists' of extent {Index} is neither true nor false",
            Fault.BehindEnd => $"extent {Index} (offset {_offset}, length {_length}) ends behind the source's {size} bytes",
            _ => throw new InvariantException($"No words for {fault}."),
        };
    }
}
