using System.Text;

namespace Benji.Nbd.Protocol;

/// <summary>The data of LIST_META_CONTEXT and SET_META_CONTEXT: proto.md, "Metadata querying".</summary>
/// <param name="Name">The export.</param>
/// <param name="Queries">Contexts or, with nothing behind the colon, namespaces.</param>
internal sealed record ContextRequest(string Name, IReadOnlyList<string> Queries)
{
    private const string Message = "The data of an option about metadata contexts";

    /// <summary>Bytes that <see cref="Write"/> puts.</summary>
    public int Size => (2 * sizeof(uint)) + Encoding.UTF8.GetByteCount(Name)
        + Queries.Sum(query => sizeof(uint) + Encoding.UTF8.GetByteCount(query));

    /// <summary>Reads the data.</summary>
    /// <exception cref="NbdProtocolException">It is not valid, or has more than <see cref="NbdLimits.QueriesMax"/>
    /// queries.</exception>
    public static ContextRequest Parse(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, Message);
        var name = reader.TakeString();
        var count = reader.TakeUInt32();
        if (count > NbdLimits.QueriesMax || count > reader.Remaining / sizeof(uint))
        {
            throw new NbdProtocolException($"{Message} says it has {count} queries in {reader.Remaining} bytes.");
        }

        var queries = new string[count];
        for (var i = 0; i < queries.Length; i++)
        {
            queries[i] = reader.TakeString();
        }

        reader.End();
        return new ContextRequest(name, queries);
    }

    /// <summary>Writes the data.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new FieldWriter(destination);
        writer.PutString(Name);
        writer.Put((uint)Queries.Count);
        foreach (var query in Queries)
        {
            writer.PutString(query);
        }

        return writer.Length;
    }
}

/// <summary>One metadata context in an answer: proto.md, "NBD_REP_META_CONTEXT".</summary>
/// <param name="Id">Its number in block status; without meaning in the answer to LIST_META_CONTEXT.</param>
/// <param name="Name">Its name.</param>
internal readonly record struct ContextReply(uint Id, string Name)
{
    /// <summary>Bytes that <see cref="Write"/> puts.</summary>
    public int Size => sizeof(uint) + Encoding.UTF8.GetByteCount(Name);

    /// <summary>Reads the data.</summary>
    /// <exception cref="NbdProtocolException">It is not valid.</exception>
    public static ContextReply Parse(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, "A metadata context");
        return new ContextReply(reader.TakeUInt32(), reader.TakeRest());
    }

    /// <summary>Writes the data.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new FieldWriter(destination);
        writer.Put(Id);
        writer.PutText(Name);
        return writer.Length;
    }
}
