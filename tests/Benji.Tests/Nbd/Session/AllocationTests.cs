using Benji.Nbd;
using Benji.Nbd.Protocol;
using Benji.Nbd.Session;
using Benji.Nbd.Session.Exports;
using Benji.Nbd.Session.Haggling;
using Benji.Nbd.Session.Requests;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Nbd.Session;

/// <summary>Shows that a read from memory allocates nothing, over a connection that only counts.</summary>
public sealed class AllocationTests
{
    private const int WarmUp = 10_000;
    private const int Reads = 100_000;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AHundredThousandReadsFromMemoryAllocateNothing(bool isStructured)
    {
        var images = new ByteImages();
        var content = new byte[1024 * 1024];
        content.AsSpan(0, 512 * 1024).Fill(1);
        var entry = images.Add("vm1/v1", content);
        var log = new LogLines();
        var counters = new NbdCounters();
        var image = await images.OpenVersionAsync(entry, CancellationToken.None);
        var export = new Export(images, image, [], WritableVersions.None, new ExportOwner("test", log));
        var options = new NbdServerOptions();
        var wire = new CountingWire(content.Length);
        var report = new RequestReport("test", "vm1/v1", counters, new OpenGate(), log);
        var transmission = new Transmission(
            new Negotiated(export, TransmissionFlags.HasFlags | TransmissionFlags.ReadOnly, isStructured),
            wire,
            options,
            new MemoryBudget(options.MemoryMax),
            report);
        Assert.False(transmission.Run());
        await export.EndAsync(isClean: true);
        Assert.Equal(0, wire.Allocated);
        Assert.Equal(WarmUp + Reads, counters.Requests);
        Assert.Equal((WarmUp + Reads) * 4096L, counters.BytesRead);
        Assert.True(wire.Sent > Reads * 1000L, $"{wire.Sent} bytes were sent");
    }

    /// <summary>Always lets lines through.</summary>
    private sealed class OpenGate : ILogGate
    {
        public bool MayLog() => true;
    }

    /// <summary>Sends reads of 4 KiB, a few at a time, and counts what is allocated after the first ones.</summary>
    private sealed class CountingWire(int size) : IWire
    {
        private int _reads;
        private long _start;

        public long Allocated { get; private set; }

        public long Sent { get; private set; }

        public int Receive(Span<byte> destination, IWireWork work)
        {
            work.Work();
            if (_reads == WarmUp)
            {
                _start = GC.GetAllocatedBytesForCurrentThread();
            }

            if (_reads == WarmUp + Reads)
            {
                Allocated = GC.GetAllocatedBytesForCurrentThread() - _start;
                return 0;
            }

            var count = 1 + (_reads % 64);
            while (count > 1 && (_reads / WarmUp != (_reads + count - 1) / WarmUp || count * RequestHeader.Size > destination.Length))
            {
                count--;
            }

            for (var i = 0; i < count; i++)
            {
                var offset = (ulong)(_reads++ * 4096L % size);
                new RequestHeader(CommandFlags.None, Command.Read, (ulong)_reads, offset, 4096)
                    .Write(destination[(i * RequestHeader.Size)..]);
            }

            return count * RequestHeader.Size;
        }

        public void Send(Span<IoVector> vectors)
        {
            foreach (var vector in vectors)
            {
                Sent += (long)vector.Length;
            }
        }

        public void WaitForWake() => Assert.Fail("Nothing waits for the store.");

        public void Wake()
        {
        }
    }
}
