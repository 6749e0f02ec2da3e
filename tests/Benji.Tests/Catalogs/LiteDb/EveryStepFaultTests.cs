using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Model;
using Benji.Testing.Catalogs;
using Benji.Testing.Disks;
using Benji.Tests.Operations.Failure;
using Xunit;

namespace Benji.Tests.Catalogs.LiteDb;

/// <summary>Two commits on a disk each of whose steps, reads included, fails once with each kind of error.</summary>
public sealed class EveryStepFaultTests
{
    private const long Reserve = 64 << 10;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AFailureIsOfTheCatalogAndSaysWhatWasKept(bool isFull)
    {
        foreach (var errno in CatalogFailureWorld.Kinds)
        {
            for (var (at, steps) = (0, 1); at < steps; at++)
            {
                steps = Math.Max(steps, await RunAsync(at, errno, isFull));
            }
        }
    }

    // Returns how many steps there were.
    private static async Task<int> RunAsync(int at, int errno, bool isFull)
    {
        var (disk, counter) = (new SimulatedDisk(), new SimulatedCounter());
        await using var catalog = await OpenAsync(disk, counter);
        for (var number = 1; number <= 3; number++)
        {
            await PutAsync(catalog, number);
        }

        await using var another = await OpenAsync(disk, counter);
        disk.Capacity = isFull ? disk.Used : null;
        var (steps, kept, tried) = (0, 3, 3);
        disk.FailsWith = _ => steps++ == at ? errno : null;
        var failure = await Record.ExceptionAsync(async () =>
        {
            for (; tried < 5; kept = tried)
            {
                tried++;
                await PutAsync(another, tried);
            }
        });
        disk.FailsWith = null;

        var when = $"step {at}, error {errno}: {failure}";
        Assert.True(failure is null or CatalogException, when);
        var found = await FindAsync(another);
        var isUnknown = failure?.Message.Contains("unknown", StringComparison.Ordinal) == true;
        Assert.True(found == kept || (isUnknown && found == tried), when);
        Assert.Equal(found, await FindAsync(catalog));
        disk.Restart(new Random(at), new PowerLossModel(512, MayLoseCutsAlone: true));
        disk.Capacity = null;
        await using var reopened = await OpenAsync(disk, counter);
        Assert.True(await FindAsync(reopened) == found, when);
        await PutAsync(reopened, 9);
        Assert.True(await FindAsync(reopened) == 9, when);
        return steps;
    }

    private static Task<LiteDbCatalog> OpenAsync(SimulatedDisk disk, SimulatedCounter counter) => LiteDbCatalog.OpenAsync(
        SimulatedCatalogPlace.On(disk, counter, loggedPagesMax: 3, Reserve),
        TimeProvider.System,
        mayCreate: true,
        CancellationToken.None);

    private static Task PutAsync(LiteDbCatalog catalog, int number) => catalog.WriteAsync(
        write =>
        {
            write.StorageBindings.Put(new StorageBinding("s", new Guid(number, 0, 0, new byte[8]), true));
            return true;
        },
        CancellationToken.None);

    private static Task<int> FindAsync(LiteDbCatalog catalog) => catalog.ReadAsync(
        read => BitConverter.ToInt32(read.StorageBindings.Find("s")!.StoreId.ToByteArray()), CancellationToken.None);
}
