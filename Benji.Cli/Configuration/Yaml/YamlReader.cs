using System.Text;
using Benji.Store.Model;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Benji.Cli.Configuration.Yaml;

/// <summary>Turns the bytes of a YAML file into nodes, within bounds of size, depth and count.</summary>
/// <remarks>One document; keys are plain texts and stand once; an alias stands for the finished node it names, so that
/// nothing is copied and nothing can hold itself; tags are refused, because every value's type is known.</remarks>
internal sealed class YamlReader
{
    private const int LengthMax = 1024 * 1024;
    private const int DepthMax = 16;
    private const int NodesMax = 20_000;

    private readonly string _file;
    private readonly IParser _parser;
    private readonly Dictionary<string, ConfigurationNode> _anchors = [];
    private int _nodes;

    private YamlReader(string file, IParser parser)
    {
        _file = file;
        _parser = parser;
    }

    /// <summary>Reads the file's outermost map; a file without content is an empty one.</summary>
    /// <exception cref="ConfigurationException">It is not valid.</exception>
    public static MapNode Read(string file, byte[] content)
    {
        var place = new Place(file, 1, 1);
        if (content.Length > LengthMax)
        {
            throw place.Error($"the file has {content.Length} bytes; at most {LengthMax} are read.");
        }

        var reader = new YamlReader(file, new Parser(new StringReader(Decode(place, content))));
        try
        {
            return reader.ReadDocument(place);
        }
        catch (YamlException cause)
        {
            throw new Place(file, cause.Start.Line, cause.Start.Column).Error($"this is not valid YAML: {Words(cause)}.", cause);
        }
        catch (Exception cause) when (cause is InvalidOperationException or ArgumentException)
        {
            // What the library throws on some malformed tags, directives and escapes, without a place.
            throw reader.Here().Error("this is not valid YAML.", cause);
        }
    }

    private static string Decode(Place place, byte[] content)
    {
        try
        {
            var text = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(content);
            return text.StartsWith('\ufeff') ? text[1..] : text;
        }
        catch (DecoderFallbackException cause)
        {
            throw place.Error($"the file is not UTF-8 at byte {cause.Index}.", cause);
        }
    }

    // The library's message without the place that it appends.
    private static string Words(YamlException cause)
    {
        var end = cause.Message.IndexOf(" Line: ", StringComparison.Ordinal);
        return (end < 0 ? cause.Message : cause.Message[..end]).TrimEnd('.');
    }

    private MapNode ReadDocument(Place start)
    {
        Next();
        if (Next() is StreamEnd)
        {
            return new MapNode(start, new Dictionary<string, MapEntry>());
        }

        Next();
        var root = ReadNode(depth: 0);
        Next();
        if (Next() is not StreamEnd)
        {
            throw Here().Error("the file holds a second document.");
        }

        return root switch
        {
            MapNode map => map,
            ScalarNode { IsNull: true } => new MapNode(start, new Dictionary<string, MapEntry>()),
            _ => throw root.Place.Error("the outermost value must be a map of 'key: value' lines."),
        };
    }

    // Reads the node that starts with the current event, and leaves its last event the current one.
    private ConfigurationNode ReadNode(int depth)
    {
        var place = Here();
        if (depth > DepthMax || ++_nodes > NodesMax)
        {
            throw place.Error($"more than {DepthMax} levels or {NodesMax} values are not read.");
        }

        if (_parser.Current is AnchorAlias alias)
        {
            return _anchors.TryGetValue(alias.Value.Value, out var named)
                ? named
                : throw place.Error($"there is no finished value with the anchor {Names.Show(alias.Value.Value)}.");
        }

        // The library lets a few malformed files through to here, with an end where a value must be.
        if (_parser.Current is not NodeEvent start)
        {
            throw place.Error("this is not valid YAML: a value is missing.");
        }

        if (!start.Tag.IsEmpty)
        {
            throw place.Error("tags are not supported; leave it out.");
        }

        ConfigurationNode node = start switch
        {
            Scalar scalar => new ScalarNode(place, scalar.Value, scalar.Style == ScalarStyle.Plain),
            SequenceStart => ReadList(place, depth),
            _ => ReadMap(place, depth),
        };
        if (!start.Anchor.IsEmpty)
        {
            _anchors[start.Anchor.Value] = node;
        }

        return node;
    }

    private ListNode ReadList(Place place, int depth)
    {
        var items = new List<ConfigurationNode>();
        while (Next() is not SequenceEnd)
        {
            items.Add(ReadNode(depth + 1));
        }

        return new ListNode(place, items);
    }

    private MapNode ReadMap(Place place, int depth)
    {
        var entries = new Dictionary<string, MapEntry>();
        while (Next() is not MappingEnd)
        {
            var key = ReadNode(depth + 1);
            if (key is not ScalarNode { Text: var text })
            {
                throw key.Place.Error("a key must be a text.");
            }

            Next();
            if (!entries.TryAdd(text, new MapEntry(key.Place, ReadNode(depth + 1))))
            {
                throw key.Place.Error($"key {Names.Show(text)} stands here twice; first at {entries[text].KeyPlace}.");
            }
        }

        return new MapNode(place, entries);
    }

    private ParsingEvent Next() =>
        _parser.MoveNext() ? _parser.Current! : throw Here().Error("the file ends too early.");

    private Place Here() =>
        new(_file, _parser.Current?.Start.Line ?? 1, _parser.Current?.Start.Column ?? 1);
}
