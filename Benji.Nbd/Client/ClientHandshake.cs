using System.Text;
using Benji.Nbd.Protocol;
using Benji.Store.Model;

namespace Benji.Nbd.Client;

/// <summary>A client's side of the negotiation: TLS, chunks, contexts, then an export. Waits on the calling thread.</summary>
/// <remarks>proto.md, "Fixed newstyle negotiation". Not safe for concurrent calls.</remarks>
internal sealed class ClientHandshake(NbdAddress address, Stream stream)
{
    // So many replies to one option that no honest server sends more.
    private const int RepliesMax = 100_000;

    private readonly byte[] _buffer = new byte[NbdLimits.OptionMax + OptionHeader.Size];
    private HandshakeFlags _flags;

    /// <summary>The stream to go on with: that of the constructor, or TLS upon it.</summary>
    public Stream Stream { get; private set; } = stream;

    /// <summary>Exchanges greetings and, where the address says so, starts TLS.</summary>
    /// <exception cref="StorageException">The server cannot, or the connection broke.</exception>
    /// <exception cref="NbdProtocolException">It sent what the protocol does not allow.</exception>
    public void Begin()
    {
        _flags = Greeting.Parse(Read(Greeting.Size));
        if (!_flags.HasFlag(HandshakeFlags.FixedNewstyle))
        {
            throw new NbdProtocolException("The server does not speak fixed newstyle: too old a server.");
        }

        var answer = ClientFlags.FixedNewstyle
            | (_flags.HasFlag(HandshakeFlags.NoZeroes) ? ClientFlags.NoZeroes : ClientFlags.None);
        Greeting.WriteClient(_buffer, answer);
        Stream.Write(_buffer, 0, Greeting.ClientSize);
        if (address.IsTls)
        {
            Send(OptionCode.StartTls, length: 0);
            Require(OptionCode.StartTls, ReadReplies(OptionCode.StartTls, static (_, _) => { }));
            Stream = ClientTransport.StartTls(Stream, address);
        }
    }

    /// <summary>Lists the exports.</summary>
    public IReadOnlyList<ListedExport> List()
    {
        var exports = new List<ListedExport>();
        Send(OptionCode.List, length: 0);
        Require(OptionCode.List, ReadReplies(OptionCode.List, (reply, data) =>
        {
            if (reply == OptionReply.Server)
            {
                exports.Add(ListedExport.Parse(data));
            }
        }));
        return exports;
    }

    /// <summary>Ends the negotiation; the server closes.</summary>
    public void Abort() => Send(OptionCode.Abort, length: 0);

    /// <summary>Agrees on chunks and contexts as far as the server can, and begins the transmission.</summary>
    /// <exception cref="NotFoundException">The server has no such export.</exception>
    /// <exception cref="StorageException">It refused.</exception>
    public NegotiatedExport Go(IReadOnlyList<string> contexts)
    {
        Send(OptionCode.StructuredReply, length: 0);
        var isStructured = ReadReplies(OptionCode.StructuredReply, static (_, _) => { }) is null;
        var agreed = new Dictionary<uint, string>();
        if (isStructured && contexts.Count > 0)
        {
            var request = new ContextRequest(address.Export, contexts);
            Send(OptionCode.SetMetaContext, request.Write(_buffer.AsSpan(OptionHeader.Size)));
            _ = ReadReplies(OptionCode.SetMetaContext, (reply, data) =>
            {
                if (reply == OptionReply.MetaContext)
                {
                    var context = ContextReply.Parse(data);
                    agreed[context.Id] = context.Name;
                }
            });
        }

        ExportInfo? info = null;
        var sizes = NegotiatedExport.SizesDefault;
        var go = new ExportRequest(address.Export, [InfoType.BlockSize]);
        Send(OptionCode.Go, go.Write(_buffer.AsSpan(OptionHeader.Size)));
        var refusal = ReadReplies(OptionCode.Go, (reply, data) =>
        {
            var type = reply == OptionReply.Info ? TextInfo.ParseType(data) : (InfoType?)null;
            info = type == InfoType.Export ? ExportInfo.ParseInfo(data) : info;
            sizes = type == InfoType.BlockSize ? BlockSizeInfo.Parse(data) : sizes;
        });
        if (refusal is { Reply: OptionReply.ErrUnsupported })
        {
            return new NegotiatedExport(EnterByName(), sizes, isStructured, agreed);
        }

        Require(OptionCode.Go, refusal);
        return new NegotiatedExport(
            info ?? throw new NbdProtocolException("The server began without telling the export's size."),
            sizes, isStructured, agreed);
    }

    // The way in of servers without GO; one that has no such export hangs up.
    private ExportInfo EnterByName()
    {
        Send(OptionCode.ExportName, Encoding.UTF8.GetBytes(address.Export, _buffer.AsSpan(OptionHeader.Size)));
        var zeros = _flags.HasFlag(HandshakeFlags.NoZeroes) ? 0 : ExportInfo.NameReplyZeros;
        return ExportInfo.ParseNameReply(Read(ExportInfo.NameReplySize + zeros));
    }

    private void Send(OptionCode code, int length)
    {
        new OptionHeader(code, (uint)length).Write(_buffer);
        Stream.Write(_buffer, 0, OptionHeader.Size + length);
        Stream.Flush();
    }

    // Returns null when the option was acknowledged, else why it was refused.
    private Refusal? ReadReplies(OptionCode code, Action<OptionReply, ReadOnlySpan<byte>> take)
    {
        for (var i = 0; i < RepliesMax; i++)
        {
            var header = OptionReplyHeader.Parse(Read(OptionReplyHeader.Size));
            if (header.Code != code || header.Length > NbdLimits.OptionMax)
            {
                throw new NbdProtocolException(
                    $"The server answered option {header.Code} with {header.Length} bytes when {code} was asked.");
            }

            var data = Read((int)header.Length);
            if (header.IsError)
            {
                return new Refusal(header.Reply, Encoding.UTF8.GetString(data[..Math.Min(data.Length, NbdLimits.StringMax)]));
            }

            if (header.Reply == OptionReply.Ack)
            {
                return null;
            }

            take(header.Reply, data);
        }

        throw new NbdProtocolException($"The server sent more than {RepliesMax} replies to {code}.");
    }

    private void Require(OptionCode code, Refusal? refusal)
    {
        if (refusal is not { } why)
        {
            return;
        }

        var text = why.Text.Length > 0 ? $": {Names.Show(why.Text)}" : ".";
        throw why.Reply switch
        {
            OptionReply.ErrUnknown =>
                new NotFoundException($"{Names.Show(address.Text)}: the server has no export {Names.Show(address.Export)}{text}"),
            OptionReply.ErrTlsRequired => Refused($"needs TLS: write nbds:// and tls-certificates=DIRECTORY{text}"),
            OptionReply.ErrUnsupported when code == OptionCode.StartTls => Refused($"has no TLS{text}"),
            _ => Refused($"refused {code} ({why.Reply}){text}"),
        };
    }

    private StorageException Refused(string what) =>
        new($"{Names.Show(address.Text)}: the server {what}", isTransient: false);

    private ReadOnlySpan<byte> Read(int count)
    {
        Stream.ReadExactly(_buffer, 0, count);
        return _buffer.AsSpan(0, count);
    }

    private readonly record struct Refusal(OptionReply Reply, string Text);
}
