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
    private const int Reads = 100_000;

    // The first window warms up; in one of the others the runtime may still compile or collect on this thread.
    private const int Windows = 4;

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
        Assert.Contains(0, wire.Allocated.Skip(1));
        Assert.Equal(Windows * Reads, counters.Requests);
        Assert.Equal(Windows * Reads * 4096L, counters.BytesRead);
        Assert.True(wire.Sent > Reads * 1000L, $"{wire.Sent} bytes were sent");
    }

    /// <summary>Always lets lines through.</summary>
    private sealed class OpenGate : ILogGate
    {
        public bool MayLog() => true;
    }

    /// <summary>Sends reads of 4 KiB, a few at a time, and counts what is allocated in each window of many.</summary>
    private sealed class CountingWire(int size) : IWire
    {
        private int _reads;
        private long _start;

        public List<long> Allocated { get; } = new(Windows);

        public long Sent { get; private set; }

        public int Receive(Span<byte> destination, IWireWork work)
        {
            work.Work();
            if (_reads > 0 && _reads % Reads == 0)
            {
                Allocated.Add(GC.GetAllocatedBytesForCurrentThread() - _start);
                if (Allocated.Count == Windows)
                {
                    return 0;
                }
            }

            if (_reads % Reads == 0)
            {
                _start = GC.GetAllocatedBytesForCurrentThread();
            }

            var count = Math.Min(1 + (_reads % 64), Reads - (_reads % Reads));

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

        public void Abort() => throw new NotSupportedException();
    }
}
