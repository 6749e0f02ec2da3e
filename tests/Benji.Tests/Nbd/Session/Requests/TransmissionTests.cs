using Benji.Nbd;
using Benji.Nbd.Protocol;
using Benji.Nbd.Session.Exports;
using Benji.Nbd.Session.Haggling;
using Benji.Nbd.Session.Requests;
using Benji.Store.Images;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Nbd.Session.Requests;

/// <summary>A transmission that ends at any moment, and the memory that its requests hold, step by step.</summary>
public sealed class TransmissionTests : IAsyncLifetime
{
    private const int Size = 64 * 4096;

    private readonly ByteImages _images = new();
    private readonly MemoryBudget _budget = new(1024 * 1024);
    private Export _export = null!;

    public async Task InitializeAsync()
    {
        var entry = await _images.CreateOverlayAsync(_images.Add("vm1/v1", new byte[Size]), "work", CancellationToken.None);
        IImage image = await _images.OpenOverlayAsync(entry, CancellationToken.None);
        _export = new Export(
            _images,
            image,
            [new MetadataContext(ContextKind.Allocation), new MetadataContext(ContextKind.Damage)],
            WritableVersions.None,
            new ExportOwner("test", new LogLines()));
        await _export.OpenMapsAsync(CancellationToken.None);
    }

    public Task DisposeAsync() => _export.EndAsync(isClean: true);

    [Fact]
    public void WhatComesAfterTheEndWasAskedForIsRefused()
    {
        Transmission transmission = null!;
        using var wire = new ScriptedWire(Parts());
        transmission = Begin(wire);

        Assert.False(transmission.Run());

        var replies = wire.Sent.Chunk(SimpleReply.Size).Select(bytes => SimpleReply.Parse(bytes)).ToList();
        Assert.Equal(
            [(1UL, NbdError.Shutdown), (2UL, NbdError.Shutdown), (3UL, NbdError.Shutdown)],
            replies.Select(reply => (reply.Cookie, reply.Error)));
        Assert.Equal(new byte[Size], _images.ContentOf("vm1/v1@work"));

        IEnumerable<byte[]> Parts()
        {
            transmission.Stop();
            yield return
            [
                .. Request(Command.Write, 1, 3), 7, 7, 7, .. Request(Command.Read, 2, 3), .. Request(Command.Flush, 3, 0),
            ];
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4095)]
    public void AWriteThatDoesNotComeWholeIsNotDoneAndHoldsNothing(int sent)
    {
        using var wire = new ScriptedWire([Request(Command.Write, 1, 4096), .. Payload(sent)]);
        Assert.Throws<NbdProtocolException>(() => Begin(wire).Run());
        Assert.Equal(0, _budget.Taken);
        Assert.Equal(new byte[Size], _images.ContentOf("vm1/v1@work"));
    }

    /// <summary>Until its reply was sent, a request holds what it may need: a client that takes no replies must not have others
    /// begin without end.</summary>
    [Theory]
    [InlineData((int)Command.Read, 8192U, 8192)]
    [InlineData((int)Command.Write, 4096U, 4096)]
    [InlineData((int)Command.Trim, 8192U, 0)]
    [InlineData((int)Command.BlockStatus, (uint)Size, 65 * 32 * 2)]
    [InlineData((int)Command.BlockStatus, 1U, 32 * 2)]
    public void ARequestHoldsItsMemoryUntilItWasAnswered(int commandCode, uint length, long held)
    {
        var command = (Command)commandCode;
        _images.Faults.Reading = (_, _) => default;
        var taken = new List<long>();
        var payload = command == Command.Write ? Payload((int)length) : [];
        using var wire = new ScriptedWire([Request(command, 1, length), .. payload]);
        wire.Sending = () => taken.Add(_budget.Taken);

        Assert.False(Begin(wire, isStructured: command == Command.BlockStatus).Run());

        Assert.Equal([held], taken);
        Assert.Equal(0, _budget.Taken);
    }

    private static byte[] Request(Command command, ulong cookie, uint length)
    {
        var message = new byte[RequestHeader.Size];
        new RequestHeader(CommandFlags.None, command, cookie, 0, length).Write(message);
        return message;
    }

    private static byte[][] Payload(int length) => length == 0 ? [] : [[.. Enumerable.Repeat((byte)7, length)]];

    private Transmission Begin(ScriptedWire wire, bool isStructured = false) => new(
        new Negotiated(_export, TransmissionFlags.HasFlags, isStructured),
        wire,
        new NbdServerOptions(),
        _budget,
        new RequestReport("test", "vm1/v1@work", new NbdCounters(), new OpenGate(), new LogLines()));

    /// <summary>Always lets lines through.</summary>
    private sealed class OpenGate : ILogGate
    {
        public bool MayLog() => true;
    }
}
