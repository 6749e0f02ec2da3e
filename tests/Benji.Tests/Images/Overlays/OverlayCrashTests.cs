using System.Globalization;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Images.Overlays;

/// <summary>Takes the power away under an overlay on a simulated disk; <c>BENJI_SOAK_SEEDS</c> sets how many scripts of each
/// kind.</summary>
public sealed class OverlayCrashTests
{
    private const int Scripts = 3;

    /// <summary>Within so many scripts every weakened variant must be caught.</summary>
    private const int ScriptsToCatch = 40;

    [Theory]
    [InlineData(512, true)]
    [InlineData(4096, true)]
    [InlineData(512, false)]
    public Task WhatWasFlushedSurvivesACrashAtEveryStep(int sectorSize, bool knowsHoles) => Seeded.RunAsync(async random =>
    {
        var asked = Environment.GetEnvironmentVariable("BENJI_SOAK_SEEDS");
        var scripts = string.IsNullOrEmpty(asked) ? Scripts : int.Parse(asked, CultureInfo.InvariantCulture);
        for (var script = 0; script < scripts; script++)
        {
            var run = new OverlayCrashRun(random.Next(), sectorSize, knowsHoles, OverlayWeakness.None);
            Assert.True(await run.RunAtEveryStepAsync() > 20);
        }
    });

    [Theory]
    [InlineData(OverlayWeakness.NoDataSync)]
    [InlineData(OverlayWeakness.NoMarkSync)]
    [InlineData(OverlayWeakness.FreesBeforeTheFlush)]
    public async Task EveryMissingSafeguardIsNoticed(OverlayWeakness weakness)
    {
        for (var seed = 1; seed <= ScriptsToCatch; seed++)
        {
            var failure = await Record.ExceptionAsync(
                new OverlayCrashRun(seed, sectorSize: 512, knowsHoles: true, weakness).RunAtEveryStepAsync);
            if (failure is not null)
            {
                Assert.True(failure is InvalidDataException, failure.ToString());

                // The same script on the same disk is harmless to the whole program.
                await new OverlayCrashRun(seed, sectorSize: 512, knowsHoles: true, OverlayWeakness.None).RunAtEveryStepAsync();
                return;
            }
        }

        Assert.Fail($"{ScriptsToCatch} scripts passed with {weakness}.");
    }
}
