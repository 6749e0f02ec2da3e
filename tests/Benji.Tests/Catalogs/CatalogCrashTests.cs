using System.Globalization;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Catalogs;
using Xunit;

namespace Benji.Tests.Catalogs;

/// <summary>Crashes LiteDB catalogs on a simulated disk; <c>BENJI_SOAK_SEEDS</c> sets how many chains of each kind.</summary>
public sealed class CatalogCrashTests
{
    private const int ChainsPerKind = 8;

    /// <summary>Within so many chains every weakened variant must be caught.</summary>
    private const int ChainsToCatch = 150;

    [Theory]
    [InlineData(CatalogCrash.Anywhere)]
    [InlineData(CatalogCrash.Early)]
    [InlineData(CatalogCrash.DataWrite)]
    [InlineData(CatalogCrash.LogWrite)]
    [InlineData(CatalogCrash.FirstLogWriteAfterReset)]
    [InlineData(CatalogCrash.HeaderWrite)]
    [InlineData(CatalogCrash.LogSync)]
    [InlineData(CatalogCrash.LogReset)]
    [InlineData(CatalogCrash.Creation)]
    public Task NothingAcknowledgedIsLostWhenThePowerGoes(CatalogCrash kind) => RunChainsAsync(kind);

    [Fact]
    public Task NothingAcknowledgedIsLostInChainsOfMixedCrashes() => RunChainsAsync(null);

    [Fact]
    public Task NothingAcknowledgedIsLostWhenThePowerGoesOnAFullDisk() => RunChainsAsync(null, isSmall: true);

    [Theory]
    [InlineData(CatalogWeakness.NoDataSync, CatalogCrash.Anywhere)]
    [InlineData(CatalogWeakness.NoResetSync, CatalogCrash.FirstLogWriteAfterReset)]
    [InlineData(CatalogWeakness.NoHash, CatalogCrash.LogSync)]
    [InlineData(CatalogWeakness.NoCommitSync, CatalogCrash.Anywhere)]
    [InlineData(CatalogWeakness.NoRepair, CatalogCrash.LogSync)]
    public async Task EveryMissingSafeguardIsNoticed(CatalogWeakness weakness, CatalogCrash kind)
    {
        for (var seed = 1; seed <= ChainsToCatch; seed++)
        {
            var failure = await Record.ExceptionAsync(new CatalogCrashRun(seed, kind, weakness).RunAsync);
            if (failure is not null)
            {
                Assert.True(failure is InvalidDataException or CatalogException, failure.ToString());

                // The same chain on the same disk is harmless to the whole program.
                await new CatalogCrashRun(seed, kind, CatalogWeakness.None).RunAsync();
                return;
            }
        }

        Assert.Fail($"{ChainsToCatch} chains passed with {weakness}.");
    }

    private static Task RunChainsAsync(CatalogCrash? kind, bool isSmall = false) => Seeded.RunAsync(async random =>
    {
        var asked = Environment.GetEnvironmentVariable("BENJI_SOAK_SEEDS");
        var chains = string.IsNullOrEmpty(asked) ? ChainsPerKind : int.Parse(asked, CultureInfo.InvariantCulture);
        for (var chain = 0; chain < chains; chain++)
        {
            var run = new CatalogCrashRun(random.Next(), kind, CatalogWeakness.None) { IsSmall = isSmall };
            await run.RunAsync();
            Assert.True(run.Crashes > 0);
        }
    });
}
