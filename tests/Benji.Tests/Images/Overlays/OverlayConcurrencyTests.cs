using Benji.Store.Images.Overlays;
using Benji.Store.Images.Overlays.Files;
using Benji.Testing;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Images.Overlays;

/// <summary>Writers, readers and flushes of one overlay at once.</summary>
public sealed class OverlayConcurrencyTests : IDisposable
{
    private const int Unit = OverlayLayout.UnitSize;
    private const int Slot = 512;
    private const int Writers = 4;
    private const int Rounds = 300;

    // Each writer has a slot in each unit, so that all of them meet in all units.
    private const int Units = 8;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task WritersOfOneUnitLoseNothingOfEachOther()
    {
        await using var image = await OpenAsync(new byte[Units * Unit]);
        using var ended = new CancellationTokenSource();
        var flushes = RunUntilAsync(() => image.FlushAsync(CancellationToken.None), ended.Token);
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            var random = new Random(writer);
            var last = new byte[Units];
            for (var round = 1; round <= Rounds; round++)
            {
                var unit = random.Next(Units);
                last[unit] = (byte)random.Next(1, 256);
                var offset = (unit * Unit) + (writer * Slot);
                await image.WriteAsync(offset, Filled(last[unit], Slot), CancellationToken.None);
                var other = random.Next(Units);
                Assert.Equal(Filled(last[other], Slot), await image.ReadBytesAsync((other * Unit) + (writer * Slot), Slot));
            }
        })));
        await ended.CancelAsync();
        await flushes;
    }

    [Fact]
    public async Task ReadersSeeTheBaseOrWhatWasWrittenWhileSpaceIsGivenBack()
    {
        const byte Base = 1;
        const byte Written = 2;
        await using var image = await OpenAsync(Filled(Base, Units * Unit));
        using var ended = new CancellationTokenSource();
        var reads = 0;
        var readers = Enumerable.Range(0, 2).Select(_ => RunUntilAsync(async () =>
        {
            var found = await image.ReadBytesAsync(0, Units * Unit);
            Assert.False(found.AsSpan().ContainsAnyExcept(Base, Written));
            Interlocked.Increment(ref reads);
        }, ended.Token)).ToArray();
        for (var round = 0; round < Rounds / 10 || Volatile.Read(ref reads) < Rounds; round++)
        {
            Assert.DoesNotContain(readers, reader => reader.IsFaulted);
            await image.WriteAsync(0, Filled(Written, Units * Unit), CancellationToken.None);
            await image.RevertAsync(0, Units * Unit, CancellationToken.None);
            await image.FlushAsync(CancellationToken.None);
        }

        await ended.CancelAsync();
        await Task.WhenAll(readers);
    }

    private static byte[] Filled(byte value, int length)
    {
        var bytes = new byte[length];
        Array.Fill(bytes, value);
        return bytes;
    }

    private static Task RunUntilAsync(Func<ValueTask> action, CancellationToken end) => Task.Run(
        async () =>
        {
            while (!end.IsCancellationRequested)
            {
                await action();
            }
        },
        CancellationToken.None);

    private async Task<OverlayImage> OpenAsync(byte[] content)
    {
        var overlays = new OverlayDirectory(_directory.Path);
        OverlayBench? made = null;
        made = new OverlayBench(content, () => new FileOverlayDisk(overlays.PathOf(made!.Header.Id), mayWrite: true));
        overlays.Create(made.Header);
        return await made.OpenAsync();
    }
}
