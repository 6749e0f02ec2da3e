using System.Buffers.Binary;
using Benji.Nbd.Protocol;

namespace Benji.Tests.Nbd.Session;

/// <summary>One reply to an option.</summary>
internal sealed record OptionAnswer(OptionReply Reply, byte[] Data);

/// <summary>A whole reply to a request, its chunks put together.</summary>
internal sealed record ProbeReply(ulong Cookie, NbdError Error, string Text, ulong? ErrorOffset, byte[] Data)
{
    /// <summary>The types of its chunks; empty for a simple reply.</summary>
    public List<ChunkType> Chunks { get; } = [];

    /// <summary>The extents of each context.</summary>
    public Dictionary<uint, List<StatusExtent>> Status { get; } = [];
}

/// <summary>A client that says exactly what a test wants, and reads what comes byte for byte.</summary>
internal sealed class NbdProbe(Stream stream) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The bytes under it.</summary>
    public Stream Stream { get; private set; } = stream;

    /// <summary>True once structured replies were agreed on.</summary>
    public bool IsStructured { get; private set; }

    /// <summary>Reads the greeting and answers it.</summary>
    public async Task<HandshakeFlags> GreetAsync(uint flags = 3)
    {
        var greeting = Greeting.Parse(await ReceiveAsync(Greeting.Size));
        var answer = new byte[Greeting.ClientSize];
        BinaryPrimitives.WriteUInt32BigEndian(answer, flags);
        await SendAsync(answer);
        return greeting;
    }

    /// <summary>Sends an option and reads its replies to the last.</summary>
    public async Task<List<OptionAnswer>> AskAsync(OptionCode option, params byte[] data)
    {
        await SendOptionAsync(option, data);
        return await ReceiveAnswersAsync(option);
    }

    /// <summary>Sends an option.</summary>
    public async Task SendOptionAsync(OptionCode option, byte[] data)
    {
        var message = new byte[OptionHeader.Size + data.Length];
        new OptionHeader(option, (uint)data.Length).Write(message);
        data.CopyTo(message, OptionHeader.Size);
        await SendAsync(message);
    }

    /// <summary>Reads the replies to an option to the last.</summary>
    public async Task<List<OptionAnswer>> ReceiveAnswersAsync(OptionCode option)
    {
        var answers = new List<OptionAnswer>();
        while (true)
        {
            var header = OptionReplyHeader.Parse(await ReceiveAsync(OptionReplyHeader.Size));
            Xunit.Assert.Equal(option, header.Code);
            answers.Add(new OptionAnswer(header.Reply, await ReceiveAsync((int)header.Length)));
            if (header.IsError || header.Reply == OptionReply.Ack)
            {
                return answers;
            }
        }
    }

    /// <summary>Agrees on structured replies.</summary>
    public async Task StructureAsync()
    {
        var answers = await AskAsync(OptionCode.StructuredReply);
        IsStructured = answers.Single().Reply == OptionReply.Ack;
    }

    /// <summary>Asks for an export by GO or INFO.</summary>
    public Task<List<OptionAnswer>> AskForAsync(OptionCode option, string name, params InfoType[] infos)
    {
        var request = new ExportRequest(name, infos);
        var data = new byte[request.Size];
        request.Write(data);
        return AskAsync(option, data);
    }

    /// <summary>Lists or chooses metadata contexts.</summary>
    public async Task<List<ContextReply>> AskContextsAsync(OptionCode option, string name, params string[] queries)
    {
        var request = new ContextRequest(name, queries);
        var data = new byte[request.Size];
        request.Write(data);
        var answers = await AskAsync(option, data);
        Xunit.Assert.Equal(OptionReply.Ack, answers[^1].Reply);
        return [.. answers.SkipLast(1).Select(answer => ContextReply.Parse(answer.Data))];
    }

    /// <summary>Greets, agrees on structured replies and contexts, and begins the transmission.</summary>
    public async Task<ExportInfo> OpenAsync(string name, bool isStructured = true, params string[] contexts)
    {
        await GreetAsync();
        if (isStructured)
        {
            await StructureAsync();
        }

        if (contexts.Length > 0)
        {
            Xunit.Assert.Equal(contexts.Length, (await AskContextsAsync(OptionCode.SetMetaContext, name, contexts)).Count);
        }

        var answers = await AskForAsync(OptionCode.Go, name);
        Xunit.Assert.Equal(OptionReply.Ack, answers[^1].Reply);
        return ExportInfo.ParseInfo(answers[0].Data);
    }

    /// <summary>Sends a request.</summary>
    public Task RequestAsync(
        Command command, ulong offset, uint length, CommandFlags flags = 0, ulong cookie = 1, byte[]? payload = null)
    {
        payload ??= [];
        var message = new byte[RequestHeader.Size + payload.Length];
        new RequestHeader(flags, command, cookie, offset, length).Write(message);
        payload.CopyTo(message, RequestHeader.Size);
        return SendAsync(message);
    }

    /// <summary>Sends a request and reads its reply.</summary>
    public async Task<ProbeReply> CallAsync(
        Command command, ulong offset, uint length, CommandFlags flags = 0, ulong cookie = 1, byte[]? payload = null)
    {
        await RequestAsync(command, offset, length, flags, cookie, payload);
        return await ReceiveReplyAsync(command == Command.Read ? (int)Math.Min(length, NbdLimits.PayloadMax) : 0, offset);
    }

    /// <summary>Writes bytes.</summary>
    public Task<ProbeReply> WriteAsync(ulong offset, byte[] data, CommandFlags flags = 0) =>
        CallAsync(Command.Write, offset, (uint)data.Length, flags, payload: data);

    /// <summary>Reads one whole reply; only one may be on its way when it has several chunks.</summary>
    /// <param name="length">Bytes of data that a success has.</param>
    /// <param name="offset">Where they begin.</param>
    public async Task<ProbeReply> ReceiveReplyAsync(int length, ulong offset)
    {
        var magic = await ReceiveAsync(sizeof(uint));
        if (!ChunkHeader.IsChunk(magic))
        {
            var simple = SimpleReply.Parse([.. magic, .. await ReceiveAsync(SimpleReply.Size - magic.Length)]);
            Xunit.Assert.False(IsStructured && length > 0 && simple.Error == NbdError.None, "a read must be structured");
            var content = simple.Error == NbdError.None ? await ReceiveAsync(length) : [];
            return new ProbeReply(simple.Cookie, simple.Error, "", null, content);
        }

        var reply = new ProbeReply(0, NbdError.None, "", null, new byte[length]);
        var covered = 0;
        while (true)
        {
            var header = ChunkHeader.Parse([.. magic, .. await ReceiveAsync(ChunkHeader.Size - magic.Length)]);
            var payload = await ReceiveAsync((int)header.Length);
            reply = Take(reply, header, payload, offset, ref covered) with { Cookie = header.Cookie };
            if (header.IsDone)
            {
                Xunit.Assert.True(reply.Error != NbdError.None || covered == length, "a read must be answered whole");
                return reply;
            }

            magic = await ReceiveAsync(sizeof(uint));
        }
    }

    /// <summary>Sends bytes.</summary>
    public async Task SendAsync(byte[] bytes)
    {
        using var end = new CancellationTokenSource(Patience);
        await Stream.WriteAsync(bytes, end.Token);
    }

    /// <summary>Receives exactly so many bytes.</summary>
    public async Task<byte[]> ReceiveAsync(int count)
    {
        using var end = new CancellationTokenSource(Patience);
        var bytes = new byte[count];
        await Stream.ReadExactlyAsync(bytes, end.Token);
        return bytes;
    }

    /// <summary>Tells whether the server has closed the connection without another byte.</summary>
    public async Task<bool> IsClosedAsync()
    {
        using var end = new CancellationTokenSource(Patience);
        try
        {
            return await Stream.ReadAsync(new byte[1], end.Token) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>Goes on over another stream, as after STARTTLS.</summary>
    public void Continue(Stream other)
    {
        Stream = other;
        IsStructured = false;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Stream.DisposeAsync();

    private static ProbeReply Take(ProbeReply reply, ChunkHeader header, byte[] payload, ulong offset, ref int covered)
    {
        reply.Chunks.Add(header.Type);
        switch (header.Type)
        {
            case ChunkType.OffsetData:
                var data = payload.AsSpan(ReadChunks.OffsetSize);
                data.CopyTo(reply.Data.AsSpan((int)(ReadChunks.ParseOffset(payload) - offset)));
                covered += data.Length;
                return reply;
            case ChunkType.OffsetHole:
                covered += (int)ReadChunks.ParseHole(payload).Length;
                return reply;
            case ChunkType.BlockStatus:
                var extents = new List<StatusExtent>();
                reply.Status.Add(StatusExtent.Parse(payload, extents), extents);
                return reply;
            case ChunkType.Error or ChunkType.ErrorOffset:
                var error = ErrorChunk.Parse(payload, header.Type);
                return reply with { Error = error.Error, Text = error.Text, ErrorOffset = error.Offset };
            default:
                Xunit.Assert.Equal(ChunkType.None, header.Type);
                return reply;
        }
    }
}
