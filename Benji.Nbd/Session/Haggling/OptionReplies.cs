using System.Buffers;
using System.Text;
using Benji.Nbd.Protocol;

namespace Benji.Nbd.Session.Haggling;

/// <summary>Gathers the replies to one option, so that they are sent together.</summary>
/// <remarks>proto.md, "Option haggling" and "Option reply types".</remarks>
internal sealed class OptionReplies
{
    private const int ErrorTextMax = 1000;

    private readonly ArrayBufferWriter<byte> _bytes = new();
    private OptionCode _option;

    /// <summary>The replies, in order.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.WrittenMemory;

    /// <summary>Begins anew, for another option.</summary>
    public void Begin(OptionCode option)
    {
        _option = option;
        _bytes.ResetWrittenCount();
    }

    /// <summary>Adds that the option was done.</summary>
    public void Acknowledge() => Advance(Header(OptionReply.Ack, 0));

    /// <summary>Adds that the option was refused, and why.</summary>
    public void Refuse(OptionReply reply, string text)
    {
        text = text.Length <= ErrorTextMax ? text : text[..ErrorTextMax];
        Header(reply, Encoding.UTF8.GetByteCount(text));
        Advance(OptionReplyHeader.Size + Encoding.UTF8.GetBytes(text, Data(Encoding.UTF8.GetByteCount(text))));
    }

    /// <summary>Adds an export of the list.</summary>
    public void Add(ListedExport export)
    {
        Header(OptionReply.Server, export.Size);
        Advance(OptionReplyHeader.Size + export.Write(Data(export.Size)));
    }

    /// <summary>Adds a metadata context.</summary>
    public void Add(ContextReply context)
    {
        Header(OptionReply.MetaContext, context.Size);
        Advance(OptionReplyHeader.Size + context.Write(Data(context.Size)));
    }

    /// <summary>Adds the fact EXPORT.</summary>
    public void Add(ExportInfo info)
    {
        Header(OptionReply.Info, ExportInfo.InfoSize);
        Advance(OptionReplyHeader.Size + info.WriteInfo(Data(ExportInfo.InfoSize)));
    }

    /// <summary>Adds the fact BLOCK_SIZE.</summary>
    public void Add(BlockSizeInfo info)
    {
        Header(OptionReply.Info, BlockSizeInfo.InfoSize);
        Advance(OptionReplyHeader.Size + info.Write(Data(BlockSizeInfo.InfoSize)));
    }

    /// <summary>Adds a fact that is a text.</summary>
    public void Add(InfoType type, string text)
    {
        var size = sizeof(ushort) + Encoding.UTF8.GetByteCount(text);
        Header(OptionReply.Info, size);
        Advance(OptionReplyHeader.Size + TextInfo.Write(Data(size), type, text));
    }

    /// <summary>Adds the answer to EXPORT_NAME, which has no header.</summary>
    public void AddNameReply(ExportInfo info, bool withZeros) => Advance(
        info.WriteNameReply(_bytes.GetSpan(ExportInfo.NameReplySize + ExportInfo.NameReplyZeros), withZeros));

    private int Header(OptionReply reply, int length) =>
        new OptionReplyHeader(_option, reply, (uint)length).Write(_bytes.GetSpan(OptionReplyHeader.Size + length));

    private Span<byte> Data(int length) => _bytes.GetSpan(OptionReplyHeader.Size + length)[OptionReplyHeader.Size..];

    private void Advance(int count) => _bytes.Advance(count);
}
