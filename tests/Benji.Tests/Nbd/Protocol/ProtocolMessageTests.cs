using System.Buffers;
using Benji.Nbd.Protocol;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Nbd.Protocol;

public class ProtocolMessageTests
{
    [Fact]
    public void EveryFixedMessageHasTheSizeOfTheSpecification()
    {
        var buffer = new byte[256];
        Assert.Equal(18, Greeting.Write(buffer, HandshakeFlags.FixedNewstyle));
        Assert.Equal(4, Greeting.WriteClient(buffer, ClientFlags.FixedNewstyle));
        Assert.Equal(16, new OptionHeader(OptionCode.Go, 1).Write(buffer));
        Assert.Equal(20, new OptionReplyHeader(OptionCode.Go, OptionReply.Ack, 0).Write(buffer));
        Assert.Equal(10, new ExportInfo(1, TransmissionFlags.HasFlags).WriteNameReply(buffer, withZeros: false));
        Assert.Equal(134, new ExportInfo(1, TransmissionFlags.HasFlags).WriteNameReply(buffer, withZeros: true));
        Assert.Equal(12, new ExportInfo(1, TransmissionFlags.HasFlags).WriteInfo(buffer));
        Assert.Equal(14, new BlockSizeInfo(1, 4096, 1 << 25).Write(buffer));
        Assert.Equal(28, new RequestHeader(CommandFlags.Fua, Command.Write, 1, 2, 3).Write(buffer));
        Assert.Equal(16, new SimpleReply(NbdError.None, 1).Write(buffer));
        Assert.Equal(20, new ChunkHeader(ChunkFlags.Done, ChunkType.None, 1, 0).Write(buffer));
        Assert.Equal(28, ReadChunks.WriteData(buffer, 1, 2, 3, ChunkFlags.Done));
        Assert.Equal(32, ReadChunks.WriteHole(buffer, 1, 2, 3, ChunkFlags.Done));
        Assert.Equal(8, new StatusExtent(1, 0).Write(buffer));
        Assert.Equal(6 + 3, new ErrorChunk(NbdError.Invalid, "abc", null).Write(buffer));
        Assert.Equal(6 + 3 + 8, new ErrorChunk(NbdError.Invalid, "abc", 7).Write(buffer));
    }

    [Fact]
    public void NumbersAreBigEndianAndInTheOrderOfTheSpecification()
    {
        var buffer = new byte[28];
        new RequestHeader(CommandFlags.Fua, Command.Write, 0x0102030405060708, 0x1112131415161718, 0x21222324).Write(buffer);
        Assert.Equal("25609513" + "0001" + "0001" + "0102030405060708" + "1112131415161718" + "21222324", Convert.ToHexString(buffer));
        Greeting.Write(buffer, HandshakeFlags.FixedNewstyle | HandshakeFlags.NoZeroes);
        Assert.Equal("4E42444D41474943" + "49484156454F5054" + "0003", Convert.ToHexString(buffer[..18]));
        new SimpleReply(NbdError.InputOutput, 0x0102030405060708).Write(buffer);
        Assert.Equal("67446698" + "00000005" + "0102030405060708", Convert.ToHexString(buffer[..16]));
        new ChunkHeader(ChunkFlags.Done, ChunkType.ErrorOffset, 1, 2).Write(buffer);
        Assert.Equal("668E33EF" + "0001" + "8002" + "0000000000000001" + "00000002", Convert.ToHexString(buffer[..20]));
        new OptionReplyHeader(OptionCode.Go, OptionReply.ErrUnknown, 5).Write(buffer);
        Assert.Equal("0003E889045565A9" + "00000007" + "80000006" + "00000005", Convert.ToHexString(buffer[..20]));
    }

    [Fact]
    public void WhatIsWrittenIsReadBack()
    {
        var buffer = new byte[4096];
        var go = new ExportRequest("vm/späť", [InfoType.BlockSize, (InfoType)77]);
        Assert.Equal(go.Size, go.Write(buffer));
        var goBack = ExportRequest.Parse(buffer.AsSpan(0, go.Size));
        Assert.Equal(go.Name, goBack.Name);
        Assert.Equal(go.Infos, goBack.Infos);

        var contexts = new ContextRequest("vm/v1", ["base:allocation", "x-benji:"]);
        Assert.Equal(contexts.Size, contexts.Write(buffer));
        var contextsBack = ContextRequest.Parse(buffer.AsSpan(0, contexts.Size));
        Assert.Equal(contexts.Name, contextsBack.Name);
        Assert.Equal(contexts.Queries, contextsBack.Queries);

        var listed = new ListedExport("vm/v1", "a description");
        Assert.Equal(listed, ListedExport.Parse(buffer.AsSpan(0, listed.Write(buffer))));
        var context = new ContextReply(3, "base:allocation");
        Assert.Equal(context, ContextReply.Parse(buffer.AsSpan(0, context.Write(buffer))));
        var export = new ExportInfo(long.MaxValue, TransmissionFlags.HasFlags | TransmissionFlags.SendCache);
        Assert.Equal(export, ExportInfo.ParseInfo(buffer.AsSpan(0, export.WriteInfo(buffer))));
        Assert.Equal(export, ExportInfo.ParseNameReply(buffer.AsSpan(0, export.WriteNameReply(buffer, withZeros: false))));
        var sizes = new BlockSizeInfo(1, 4096, 1 << 25);
        Assert.Equal(sizes, BlockSizeInfo.Parse(buffer.AsSpan(0, sizes.Write(buffer))));
        var error = new ErrorChunk(NbdError.InputOutput, "Block 7 is damaged.", 4096);
        Assert.Equal(error, ErrorChunk.Parse(buffer.AsSpan(0, error.Write(buffer)), error.Type));
        Assert.Equal("x", TextInfo.Parse(buffer.AsSpan(0, TextInfo.Write(buffer, InfoType.Name, "x"))));
    }

    [Fact]
    public void ARequestIsTakenWholeOrNotAtAllHoweverItIsCut()
    {
        var bytes = new byte[40];
        var request = new RequestHeader(CommandFlags.None, Command.Read, 9, 4096, 512);
        request.Write(bytes);
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            var incomplete = new ReadOnlySequence<byte>(bytes, 0, Math.Min(cut, RequestHeader.Size - 1));
            Assert.False(RequestHeader.TryRead(ref incomplete, out _));
            Assert.Equal(Math.Min(cut, RequestHeader.Size - 1), incomplete.Length);
            var whole = Cut(bytes, cut);
            Assert.True(RequestHeader.TryRead(ref whole, out var read));
            Assert.Equal(request, read);
            Assert.Equal(bytes.Length - RequestHeader.Size, whole.Length);
        }
    }

    [Theory]
    [InlineData("0000000000000000")]
    [InlineData("00000004766D2F7600010003AA")]
    [InlineData("FFFFFFFF766D0000")]
    [InlineData("00000002FFFF0000")]
    public void ABadGoIsRefused(string hex) =>
        Assert.Throws<NbdProtocolException>(() => ExportRequest.Parse(Convert.FromHexString(hex)));

    [Fact]
    public void TextsThatAreTooLongAreRefused()
    {
        var request = new ExportRequest(new string('x', 4097), []);
        var buffer = new byte[request.Size];
        request.Write(buffer);
        Assert.Contains("4097", Assert.Throws<NbdProtocolException>(() => ExportRequest.Parse(buffer)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, 4096, 8192)]
    [InlineData(4096, 512, 8192)]
    [InlineData(1, 4096, 0)]
    [InlineData(131072, 131072, 131072)]
    public void BlockSizesThatContradictEachOtherAreRefused(uint minimum, uint preferred, uint maximum)
    {
        var buffer = new byte[BlockSizeInfo.InfoSize];
        new BlockSizeInfo(minimum, preferred, maximum).Write(buffer);
        Assert.Throws<NbdProtocolException>(() => BlockSizeInfo.Parse(buffer));
    }

    [Fact]
    public void AnyBytesAreReadOrRefused() => Seeded.Run(random =>
    {
        for (var round = 0; round < 30_000; round++)
        {
            var bytes = Message(random);
            for (var flips = random.Next(3); flips > 0 && bytes.Length > 0; flips--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            foreach (var parse in Parsers)
            {
                try
                {
                    parse(bytes);
                }
                catch (NbdProtocolException error)
                {
                    Assert.InRange(error.Message.Length, 20, 300);
                }
            }
        }
    });

    private static readonly Action<byte[]>[] Parsers =
    [
        bytes => Greeting.Parse(bytes),
        bytes => OptionHeader.Parse(bytes),
        bytes => OptionReplyHeader.Parse(bytes),
        bytes => ExportRequest.Parse(bytes),
        bytes => ListedExport.Parse(bytes),
        bytes => ExportInfo.ParseInfo(bytes),
        bytes => ExportInfo.ParseNameReply(bytes),
        bytes => BlockSizeInfo.Parse(bytes),
        bytes => TextInfo.Parse(bytes),
        bytes => ContextRequest.Parse(bytes),
        bytes => ContextReply.Parse(bytes),
        bytes => SimpleReply.Parse(bytes),
        bytes => ChunkHeader.Parse(bytes),
        bytes => ReadChunks.ParseHole(bytes),
        bytes => ReadChunks.ParseOffset(bytes),
        bytes => ErrorChunk.Parse(bytes, ChunkType.ErrorOffset),
        bytes => StatusExtent.Parse(bytes, []),
        bytes =>
        {
            var sequence = new ReadOnlySequence<byte>(bytes);
            RequestHeader.TryRead(ref sequence, out _);
        },
    ];

    private static byte[] Message(Random random)
    {
        var buffer = new byte[256];
        var length = random.Next(6) switch
        {
            0 => new ExportRequest("vm/v1", [InfoType.Name, InfoType.BlockSize]).Write(buffer),
            1 => new ContextRequest("vm/v1", ["base:", "x-benji:changed:vm/v0"]).Write(buffer),
            2 => new RequestHeader(CommandFlags.None, Command.Read, 1, 2, 3).Write(buffer),
            3 => new ErrorChunk(NbdError.Invalid, "no", 3).Write(buffer),
            4 => new OptionReplyHeader(OptionCode.Go, OptionReply.Info, 12).Write(buffer),
            _ => random.Next(64),
        };
        return buffer[..random.Next(length + 1)];
    }

    private static ReadOnlySequence<byte> Cut(byte[] bytes, int at)
    {
        var first = new Part(bytes.AsMemory(0, at), 0);
        var second = new Part(bytes.AsMemory(at), at);
        first.Link(second);
        return new ReadOnlySequence<byte>(first, 0, second, second.Memory.Length);
    }

    private sealed class Part : ReadOnlySequenceSegment<byte>
    {
        public Part(ReadOnlyMemory<byte> memory, long index)
        {
            Memory = memory;
            RunningIndex = index;
        }

        public void Link(Part next) => Next = next;
    }
}
