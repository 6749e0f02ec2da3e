using Benji.Nbd.Protocol;
using Benji.Nbd.Session.Exports;
using Benji.Store.Model;

namespace Benji.Nbd.Session.Haggling;

/// <summary>The conversation with one client before the transmission: greeting, options, choice of an export.</summary>
/// <remarks>Reads exactly the bytes of each message and no more, so that nothing that was sent before TLS is taken for
/// something sent under it, and the transmission begins at its first byte. proto.md, "Fixed newstyle negotiation".</remarks>
internal sealed class Handshake
{
    /// <summary>Options that a client may send.</summary>
    public const int OptionsMax = 64;

    private readonly ExportDirectory _exports;
    private readonly ITlsUpgrade? _tls;
    private readonly string _client;
    private readonly Action _chosen;
    private readonly OptionReplies _replies = new();
    private readonly ContextOptions _contexts;
    private readonly byte[] _data = new byte[NbdLimits.OptionMax];
    private bool _isTls;
    private bool _isStructured;
    private bool _withZeros;

    /// <summary>Prepares the conversation with a client.</summary>
    /// <param name="exports">The exports.</param>
    /// <param name="stream">The connection.</param>
    /// <param name="tls">How to begin TLS; null when there is none.</param>
    /// <param name="client">For the log.</param>
    /// <param name="chosen">Called when the client has chosen an export, before it is opened: the store may take its
    /// time.</param>
    public Handshake(ExportDirectory exports, Stream stream, ITlsUpgrade? tls, string client, Action chosen)
    {
        (_exports, Stream, _tls, _client, _chosen) = (exports, stream, tls, client, chosen);
        _contexts = new ContextOptions(exports);
    }

    /// <summary>Is told, in a sentence, why a client did not get what it asked for.</summary>
    public Action<string> Refused { get; init; } = static _ => { };

    /// <summary>The connection; another stream once TLS has begun.</summary>
    public Stream Stream { get; private set; }

    private bool MustHaveTls => _tls is { IsRequired: true } && !_isTls;

    /// <summary>Holds the conversation.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Null when the client said goodbye.</returns>
    /// <exception cref="NbdProtocolException">The client sent what is not allowed, and cannot be answered.</exception>
    /// <exception cref="IOException">The client went away.</exception>
    public async Task<Negotiated?> RunAsync(CancellationToken cancellationToken)
    {
        Greeting.Write(_data, HandshakeFlags.FixedNewstyle | HandshakeFlags.NoZeroes);
        await Stream.WriteAsync(_data.AsMemory(0, Greeting.Size), cancellationToken);
        await Stream.ReadExactlyAsync(_data.AsMemory(0, Greeting.ClientSize), cancellationToken);
        const ClientFlags known = ClientFlags.FixedNewstyle | ClientFlags.NoZeroes;
        var flags = Greeting.ParseClient(_data);
        if ((flags & ~known) != 0)
        {
            throw new NbdProtocolException($"It sent the client flags 0x{(uint)flags:x}; only 0x{(uint)known:x} are known.");
        }

        _withZeros = (flags & ClientFlags.NoZeroes) == 0;
        for (var options = 0; options < OptionsMax; options++)
        {
            await Stream.ReadExactlyAsync(_data.AsMemory(0, OptionHeader.Size), cancellationToken);
            var header = OptionHeader.Parse(_data);
            if (header.Length > NbdLimits.OptionMax)
            {
                throw new NbdProtocolException(
                    $"Its option {(uint)header.Code} has {header.Length} bytes; at most {NbdLimits.OptionMax} are allowed.");
            }

            var length = (int)header.Length;
            await Stream.ReadExactlyAsync(_data.AsMemory(0, length), cancellationToken);
            _replies.Begin(header.Code);
            var negotiated = await AnswerAsync(header.Code, length, cancellationToken);
            await SendAsync(negotiated, cancellationToken);
            if (negotiated is not null || header.Code == OptionCode.Abort)
            {
                return negotiated;
            }

            if (header.Code == OptionCode.StartTls && length == 0 && _tls is not null && !_isTls)
            {
                await StartTlsAsync(_tls, cancellationToken);
            }
        }

        throw new NbdProtocolException($"It sent {OptionsMax} options without choosing an export.");
    }

    // An export that was opened must not be left open when its client cannot be told.
    private async Task SendAsync(Negotiated? negotiated, CancellationToken cancellationToken)
    {
        try
        {
            await Stream.WriteAsync(_replies.Bytes, cancellationToken);
            await Stream.FlushAsync(cancellationToken);
        }
        catch when (negotiated is not null)
        {
            await negotiated.Export.EndAsync(isClean: false);
            throw;
        }
    }

    // Only whoever asks for an export misses something; others just look around.
    private void Refuse(OptionCode code, OptionReply reply, string text)
    {
        _replies.Begin(code);
        _replies.Refuse(reply, text);
        if (code == OptionCode.Go)
        {
            Refused($"It asked for an export and was refused: {text}");
        }
    }

    // Nothing that was agreed in the clear holds under TLS: anybody could have said it.
    private async Task StartTlsAsync(ITlsUpgrade tls, CancellationToken cancellationToken)
    {
        Stream = await tls.UpgradeAsync(Stream, cancellationToken);
        _isTls = true;
        _isStructured = false;
        _contexts.Forget();
    }

    private async Task<Negotiated?> AnswerAsync(OptionCode code, int length, CancellationToken cancellationToken)
    {
        if (MustHaveTls && code is not (OptionCode.StartTls or OptionCode.Abort))
        {
            if (code == OptionCode.ExportName)
            {
                throw new NbdProtocolException("It asked for an export without TLS, which this server requires.");
            }

            Refuse(code, OptionReply.ErrTlsRequired, "This server requires TLS.");
            return null;
        }

        try
        {
            return await AnswerKnownAsync(code, length, cancellationToken);
        }
        catch (NbdProtocolException cause) when (code != OptionCode.ExportName)
        {
            Refuse(code, OptionReply.ErrInvalid, cause.Message);
            return null;
        }
        catch (BenjiException cause) when (code != OptionCode.ExportName)
        {
            Refuse(code, cause is NotFoundException ? OptionReply.ErrUnknown : OptionReply.ErrPolicy, cause.Message);
            return null;
        }
        catch (BenjiException cause)
        {
            throw new NbdProtocolException($"It asked for an export that cannot be opened: {cause.Message}", cause);
        }
    }

    private async Task<Negotiated?> AnswerKnownAsync(OptionCode code, int length, CancellationToken cancellationToken)
    {
        switch (code)
        {
            case OptionCode.ExportName:
                return await ChooseAsync(OptionText.Parse(_data.AsSpan(0, length)), cancellationToken);
            case OptionCode.Abort:
                _replies.Acknowledge();
                return null;
            case OptionCode.List:
                RefuseData(code, length);
                (await _exports.ListAsync(cancellationToken)).ToList().ForEach(_replies.Add);
                _replies.Acknowledge();
                return null;
            case OptionCode.StartTls:
                AnswerStartTls(length);
                return null;
            case OptionCode.Info or OptionCode.Go:
                return await DescribeAsync(
                    ExportRequest.Parse(_data.AsSpan(0, length)), code == OptionCode.Go, cancellationToken);
            case OptionCode.StructuredReply:
                RefuseData(code, length);
                _isStructured = true;
                _replies.Acknowledge();
                return null;
            case OptionCode.ListMetaContext or OptionCode.SetMetaContext:
                await AnswerContextsAsync(code, length, cancellationToken);
                return null;
            default:
                _replies.Refuse(OptionReply.ErrUnsupported, $"Option {(uint)code} is not known.");
                return null;
        }
    }

    private static void RefuseData(OptionCode code, int length)
    {
        if (length > 0)
        {
            throw new NbdProtocolException($"Option {code} has no data, but {length} bytes came with it.");
        }
    }

    private void AnswerStartTls(int length)
    {
        RefuseData(OptionCode.StartTls, length);
        if (_isTls)
        {
            _replies.Refuse(OptionReply.ErrInvalid, "TLS has begun already.");
        }
        else if (_tls is null)
        {
            _replies.Refuse(OptionReply.ErrPolicy, "This server has no TLS.");
        }
        else
        {
            _replies.Acknowledge();
        }
    }

    private async Task AnswerContextsAsync(OptionCode code, int length, CancellationToken cancellationToken)
    {
        if (code == OptionCode.SetMetaContext)
        {
            _contexts.Forget();
        }

        if (!_isStructured)
        {
            throw new NbdProtocolException("Metadata contexts need structured replies, which were not asked for.");
        }

        var request = ContextRequest.Parse(_data.AsSpan(0, length));
        await (code == OptionCode.ListMetaContext
            ? _contexts.ListAsync(request, _replies, cancellationToken)
            : _contexts.SetAsync(request, _replies, cancellationToken));
    }

    // EXPORT_NAME has no reply for a failure: the connection ends.
    private async Task<Negotiated?> ChooseAsync(string name, CancellationToken cancellationToken)
    {
        var target = await _exports.FindAsync(name, mayCreate: true, cancellationToken)
            ?? throw new NbdProtocolException($"It asked for {Names.Show(name)}, which is no export.");
        var negotiated = await OpenAsync(name, target, cancellationToken);
        _replies.AddNameReply(new ExportInfo(negotiated.Export.Size, negotiated.Flags), _withZeros);
        return negotiated;
    }

    private async Task<Negotiated?> DescribeAsync(ExportRequest request, bool isGo, CancellationToken cancellationToken)
    {
        if (await _exports.FindAsync(request.Name, mayCreate: isGo, cancellationToken) is not { } target)
        {
            Refuse(isGo ? OptionCode.Go : OptionCode.Info, OptionReply.ErrUnknown, request.Name.Length == 0
                ? "There is no default export: ask for one as volume/version, volume/latest or volume/version@overlay."
                : $"There is no export {Names.Show(request.Name)}.");
            return null;
        }

        var negotiated = isGo ? await OpenAsync(request.Name, target, cancellationToken) : null;
        var flags = negotiated?.Flags ?? _exports.FlagsOf(target, _isStructured);
        _replies.Add(new ExportInfo(target.Entry.Size, flags));
        foreach (var info in request.Infos.Distinct())
        {
            AddInfo(info, target);
        }

        _replies.Acknowledge();
        return negotiated;
    }

    private void AddInfo(InfoType info, ExportTarget target)
    {
        switch (info)
        {
            case InfoType.Name:
                _replies.Add(InfoType.Name, target.Name);
                break;
            case InfoType.Description:
                _replies.Add(InfoType.Description, target.Description);
                break;
            case InfoType.BlockSize:
                _replies.Add(target.BlockSizes);
                break;
            default:
                break;
        }
    }

    private async Task<Negotiated> OpenAsync(string name, ExportTarget target, CancellationToken cancellationToken)
    {
        _chosen();
        var export = await _exports.OpenAsync(target, _contexts.ChosenFor(name), _client, cancellationToken);
        return new Negotiated(export, _exports.FlagsOf(target, _isStructured), _isStructured);
    }
}
