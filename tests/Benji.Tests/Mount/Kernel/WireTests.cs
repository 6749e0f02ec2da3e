using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Mount.Kernel;

public sealed class WireTests
{
    [Fact]
    public void EveryStructureHasTheSizeThatTheKernelGivesIt()
    {
        Assert.Equal(40, Unsafe.SizeOf<RequestHeader>());
        Assert.Equal(16, Unsafe.SizeOf<ReplyHeader>());
        Assert.Equal(64, Unsafe.SizeOf<InitRequest>());
        Assert.Equal(64, Unsafe.SizeOf<InitReply>());
        Assert.Equal(88, Unsafe.SizeOf<NodeAttributes>());
        Assert.Equal(128, Unsafe.SizeOf<EntryReply>());
        Assert.Equal(104, Unsafe.SizeOf<AttributesReply>());
        Assert.Equal(88, Unsafe.SizeOf<SetAttributesRequest>());
        Assert.Equal(80, Unsafe.SizeOf<FileSystemReply>());
        Assert.Equal(8, Unsafe.SizeOf<ExtendedSize>());
        Assert.Equal(8, Unsafe.SizeOf<OpenRequest>());
        Assert.Equal(16, Unsafe.SizeOf<CreateRequest>());
        Assert.Equal(16, Unsafe.SizeOf<OpenReply>());
        Assert.Equal(144, Unsafe.SizeOf<CreateReply>());
        Assert.Equal(40, Unsafe.SizeOf<TransferRequest>());
        Assert.Equal(8, Unsafe.SizeOf<WriteReply>());
        Assert.Equal(8, Unsafe.SizeOf<CopyReply64>());
        Assert.Equal(32, Unsafe.SizeOf<AllocateRequest>());
        Assert.Equal(24, Unsafe.SizeOf<SeekRequest>());
        Assert.Equal(8, Unsafe.SizeOf<SeekReply>());
        Assert.Equal(56, Unsafe.SizeOf<CopyRangeRequest>());
        Assert.Equal(8, Unsafe.SizeOf<InterruptRequest>());
        Assert.Equal(24, Unsafe.SizeOf<DirectoryRecord>());
        Assert.Equal(152, Unsafe.SizeOf<DirectoryRecordPlus>());
        Assert.Equal(24, Unsafe.SizeOf<InvalidInodeNotice>());
        Assert.Equal(16, Unsafe.SizeOf<InvalidEntryNotice>());
        Assert.Equal(24, Unsafe.SizeOf<DeleteNotice>());
        Assert.Equal(16, Unsafe.SizeOf<IoVector>());
        Assert.Equal(56, Unsafe.SizeOf<MessageHeader>());
    }

    [Fact]
    public void ARequestIsTakenApart()
    {
        var bytes = FuseRequest.Bytes(Opcode.Create, node: 7, FuseRequest.Of(new CreateRequest { Flags = 2 }), "a@b.img\0"u8.ToArray());
        var header = RequestBody.Split(bytes, out var body);
        Assert.Equal((Opcode.Create, 7UL, (uint)bytes.Length), (header.Opcode, header.Node, header.Length));
        Assert.Equal(2U, body.Take<CreateRequest>().Flags);
        Assert.Equal("a@b.img", RequestBody.Text(body.TakeName()));
        Assert.True(body.Rest.IsEmpty);
    }

    [Fact]
    public void ARequestOfAnotherLengthThanItSaysIsRefused()
    {
        var bytes = FuseRequest.Bytes(Opcode.Lookup, node: 7, "name\0"u8.ToArray());
        Assert.Throws<FuseProtocolException>(() => RequestBody.Split(bytes.AsSpan(0, bytes.Length - 1), out _));
        Assert.Throws<FuseProtocolException>(() => RequestBody.Split([.. bytes, 0], out _));
        Assert.Throws<FuseProtocolException>(() => RequestBody.Split(bytes.AsSpan(0, 10), out _));
    }

    [Fact]
    public void ExtensionsBehindTheBodyAreNotOfIt()
    {
        var bytes = FuseRequest.Bytes(Opcode.Lookup, node: 7, "name\0"u8.ToArray(), new byte[11]);
        var header = MemoryMarshal.Read<RequestHeader>(bytes);
        MemoryMarshal.Write(bytes, header with { ExtensionUnits = 1 });
        RequestBody.Split(bytes, out var body);
        Assert.Equal("name\0\0\0\0"u8, body.Rest);
        MemoryMarshal.Write(bytes, header with { ExtensionUnits = 3 });
        Assert.Throws<FuseProtocolException>(() => RequestBody.Split(bytes, out _));
    }

    [Fact]
    public void AnOldShortOfferIsRead()
    {
        var body = new RequestBody(FuseRequest.Of(new InitRequest { Major = 7, Minor = 31, Flags = 0x29 }).AsSpan(0, 16));
        var offer = body.TakeGrown<InitRequest>(Negotiation.InitSizeMin);
        Assert.Equal((7U, 31U, 0x29U, 0U), (offer.Major, offer.Minor, offer.Flags, offer.Flags2));
    }

    [Fact]
    public void AnyBytesAreARequestOrAProtocolException() => Seeded.Run(random =>
    {
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = new byte[random.Next(120)];
            random.NextBytes(bytes);
            if (random.Next(2) == 0 && bytes.Length >= 4)
            {
                BitConverter.TryWriteBytes(bytes, bytes.Length);
            }

            try
            {
                _ = RequestBody.Split(bytes, out var body);
                _ = body.TakeGrown<InitRequest>(Negotiation.InitSizeMin);
                _ = RequestBody.Text(body.TakeName());
                _ = body.Take<TransferRequest>();
            }
            catch (FuseProtocolException)
            {
                // The one exception of this parser.
            }
        }
    });

    [Fact]
    public void OnlyWhatTheKernelOffersIsTaken()
    {
        var offered = InitFlags.AsyncRead | InitFlags.MaxPages | (InitFlags)(1UL << 16);
        var chosen = Negotiation.Choose(new InitRequest { Major = 7, Minor = 31, Flags = (uint)offered, Flags2 = uint.MaxValue })!;
        Assert.Equal(31U, chosen.Minor);
        Assert.Equal(InitFlags.AsyncRead | InitFlags.MaxPages, chosen.Flags);
        var reply = chosen.ToReply(readAheadMax: 131072);
        Assert.Equal((7U, 31U, 131072U), (reply.Major, reply.Minor, reply.ReadAheadMax));
        Assert.Equal((1048576U, (ushort)256), (reply.WriteMax, reply.PagesMax));
        Assert.Equal((uint)chosen.Flags, reply.Flags);

        var newest = Negotiation.Choose(new InitRequest { Major = 7, Minor = 99, Flags = uint.MaxValue, Flags2 = uint.MaxValue })!;
        Assert.Equal(Negotiation.MinorMax, newest.Minor);
        Assert.True(newest.CanResend);
        Assert.False(newest.Flags.HasFlag((InitFlags)(1UL << 23)), "links are not cached");
        Assert.False(newest.Flags.HasFlag((InitFlags)(1UL << 15)), "who reads directly can be killed");
        Assert.Null(Negotiation.Choose(new InitRequest { Major = 7, Minor = 12 }));
    }

    [Fact]
    public void WhatWasAgreedIsOneWordThatIsReadBack()
    {
        var chosen = Negotiation.Choose(new InitRequest { Major = 7, Minor = 45, Flags = uint.MaxValue, Flags2 = uint.MaxValue })!;
        Assert.Matches("^[0-9a-f.]{1,64}$", chosen.ToString());
        Assert.True(Negotiation.TryParse(chosen.ToString(), out var read));
        Assert.Equal(chosen, read);
        foreach (var bad in new[] { "", "7.45", "8.45.0", "7.99.0", "7.45.x", "7.45.ffffffffffffffff", "7.45.0.0", "7.-1.0" })
        {
            Assert.False(Negotiation.TryParse(bad, out _), bad);
        }
    }
}
