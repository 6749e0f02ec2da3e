using System.Text;

namespace Benji.Nbd.Protocol;

/// <summary>The data of INFO and GO: an export's name and which of its facts are wanted. proto.md, "NBD_OPT_INFO".</summary>
/// <param name="Name">The export; empty for the default one.</param>
/// <param name="Infos">The facts asked for, in order, unknown ones too.</param>
internal sealed record ExportRequest(string Name, IReadOnlyList<InfoType> Infos)
{
    private const string Message = "The data of INFO or GO";

    /// <summary>Bytes that <see cref="Write"/> puts.</summary>
    public int Size => sizeof(uint) + Encoding.UTF8.GetByteCount(Name) + sizeof(ushort) + (Infos.Count * sizeof(ushort));

    /// <summary>Reads the data.</summary>
    /// <exception cref="NbdProtocolException">It is not valid.</exception>
    public static ExportRequest Parse(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, Message);
        var name = reader.TakeString();
        var count = reader.TakeUInt16();
        if (reader.Remaining != count * sizeof(ushort))
        {
            throw new NbdProtocolException($"{Message} has {reader.Remaining} bytes for {count} facts of 2 bytes each.");
        }

        var infos = new InfoType[count];
        for (var i = 0; i < count; i++)
        {
            infos[i] = (InfoType)reader.TakeUInt16();
        }

        return new ExportRequest(name, infos);
    }

    /// <summary>Writes the data.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new FieldWriter(destination);
        writer.PutString(Name);
        writer.Put((ushort)Infos.Count);
        foreach (var info in Infos)
        {
            writer.Put((ushort)info);
        }

        return writer.Length;
    }
}

/// <summary>One export in the answer to LIST: proto.md, "NBD_REP_SERVER".</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">A text for a person; empty for none.</param>
internal readonly record struct ListedExport(string Name, string Description)
{
    /// <summary>Bytes that <see cref="Write"/> puts.</summary>
    public int Size => sizeof(uint) + Encoding.UTF8.GetByteCount(Name) + Encoding.UTF8.GetByteCount(Description);

    /// <summary>Reads the data.</summary>
    /// <exception cref="NbdProtocolException">It is not valid.</exception>
    public static ListedExport Parse(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, "A listed export");
        return new ListedExport(reader.TakeString(), reader.TakeRest());
    }

    /// <summary>Writes the data.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new FieldWriter(destination);
        writer.PutString(Name);
        writer.PutText(Description);
        return writer.Length;
    }
}
