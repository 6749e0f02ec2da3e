using System.Buffers.Binary;
using System.Net.Sockets;
using Benji.Nbd.Protocol;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Nbd.Session;

/// <summary>Changes a recorded conversation at random: whatever arrives, the server lives and others are served.</summary>
public sealed class ConversationFuzzTests
{
    [Fact]
    public Task ChangedConversationsNeverHarmTheServer() => Seeded.RunAsync(async random =>
    {
        await using var served = await ServedImages.StartAsync();
        var recorded = Record();
        for (var round = 0; round < 300; round++)
        {
            var bytes = Mutate(random, recorded);
            await using var probe = await served.ConnectAsync();
            try
            {
                await probe.SendAsync(bytes);
                ((NetworkStream)probe.Stream).Socket.Shutdown(SocketShutdown.Send);
                var buffer = new byte[65536];
                using var end = new CancellationTokenSource(TimeSpan.FromSeconds(20));
                while (await probe.Stream.ReadAsync(buffer, end.Token) > 0)
                {
                }
            }
            catch (IOException)
            {
                // The server may have closed while we still sent.
            }
        }

        await AbuseTests.AssertServesAsync(served);
        await ServedImages.UntilAsync(() => served.Server.Counters.Open == 0, "the end of all connections");
        Assert.DoesNotContain(served.Log.Lines, line => line.Contains("defect", StringComparison.Ordinal));
    });

    // A whole conversation with contexts, an overlay and every command, as a client that waits for nothing sends it.
    private static byte[] Record()
    {
        var bytes = new List<byte>([0, 0, 0, 3]);
        Option(OptionCode.List, 0, _ => 0);
        Option(OptionCode.StructuredReply, 0, _ => 0);
        var contexts = new ContextRequest("vm1/v1@fuzz", ["base:allocation", "x-benji:bad", "x-benji:changed:vm1/v1"]);
        Option(OptionCode.ListMetaContext, contexts.Size, data => contexts.Write(data));
        Option(OptionCode.SetMetaContext, contexts.Size, data => contexts.Write(data));
        var export = new ExportRequest("vm1/v1@fuzz", [InfoType.Name, InfoType.BlockSize]);
        Option(OptionCode.Info, export.Size, data => export.Write(data));
        Option(OptionCode.Go, export.Size, data => export.Write(data));
        foreach (var command in Enum.GetValues<Command>().Where(command => command != Command.Disconnect))
        {
            var request = new byte[RequestHeader.Size];
            new RequestHeader(CommandFlags.None, command, 9, 4096, 512).Write(request);
            bytes.AddRange(request);
            bytes.AddRange(new byte[command == Command.Write ? 512 : 0]);
        }

        return [.. bytes];

        void Option(OptionCode code, int length, Func<byte[], int> write)
        {
            var header = new byte[OptionHeader.Size];
            new OptionHeader(code, (uint)length).Write(header);
            var data = new byte[length];
            write(data);
            bytes.AddRange(header);
            bytes.AddRange(data);
        }
    }

    private static byte[] Mutate(Random random, byte[] recorded)
    {
        var bytes = recorded.ToArray();
        for (var changes = random.Next(1, 6); changes > 0; changes--)
        {
            var at = random.Next(bytes.Length - 8);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(at), (uint)random.NextInt64(uint.MaxValue));
                    break;
                case 2:
                    bytes = [.. bytes[..at], .. bytes[(at + random.Next(8))..]];
                    break;
                default:
                    bytes = [.. bytes[..at], .. bytes[random.Next(bytes.Length - 8)..]];
                    break;
            }
        }

        return bytes;
    }
}
