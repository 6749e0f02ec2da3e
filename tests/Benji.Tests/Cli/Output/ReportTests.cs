using Benji.Cli.Output;
using Benji.Store.Model;
using Benji.Store.Operations;
using Xunit;

namespace Benji.Tests.Cli.Output;

public class ReportTests
{
    private static readonly Damage Damaged = new(65536, 131072, BlockId.Hole, "is\nmissing");

    [Fact]
    public void ABackupIsSummarizedInOneLine()
    {
        var result = new BackupResult(SampleVersions.Full, SampleVersions.Bare.Name, 1, 2, 3, 4, 5, 6, 7);
        Assert.Equal(
            "vm/web-1/20261123T024501Z: 10.0 GiB compared with db/first; read 1000 B, unchanged 6 B, new 2.0 KiB, "
            + "deduplicated 10.0 GiB, holes 4.0 KiB, stored 4.9 KiB, in 1.5 s (6.7 GiB/s)",
            BackupReport.Summary(result, isVerbose: false));
    }

    [Fact]
    public void VerboseAddsBlocksAndMemory() =>
        Assert.EndsWith(
            "; blocks: 1 unchanged, 2 new (3 as deltas), 4 deduplicated, 5 holes; buffers of at most 7 B",
            BackupReport.Summary(
                new BackupResult(SampleVersions.Full, null, 1, 2, 3, 4, 5, 6, 7), isVerbose: true),
            StringComparison.Ordinal);

    [Fact]
    public void ABackupThatUsesNewDamageSaysSo()
    {
        var result = new BackupResult(SampleVersions.Full, null, 1, 2, 3, 4, 5, 6, 7);
        Assert.Null(BackupReport.Failure(result));
        Assert.StartsWith(
            "vm/web-1/20261123T024501Z is invalid: ",
            BackupReport.Failure(result with { UsesNewDamage = true }),
            StringComparison.Ordinal);
    }

    [Fact]
    public void DamageIsOneLineForEachRange()
    {
        using var output = new StringWriter { NewLine = "\n" };
        DamageMap.Write(output, [Damaged]);
        Assert.Equal($"damaged 65536 131072 {BlockId.Hole} is missing\n", output.ToString());
        Assert.Equal(131072, DamageMap.Bytes([Damaged]));
    }

    [Fact]
    public void AScrubThatFoundDamageSaysWhichVersionsAreInvalid()
    {
        var result = new ScrubResult(
            SampleVersions.Full, 3, 300, [Damaged], [], [SampleVersions.Bare.Name], TimeSpan.FromSeconds(1));
        var failure = ScrubReport.Failure(result);
        Assert.NotNull(failure);
        Assert.Contains("1 range of vm/web-1/20261123T024501Z (128.0 KiB)", failure, StringComparison.Ordinal);
        Assert.Contains("1 other version that use", failure, StringComparison.Ordinal);
        Assert.Contains("db/first", failure, StringComparison.Ordinal);
    }

    [Fact]
    public void ASourceThatDiffersIsAFailureOfItsOwn()
    {
        var result = new ScrubResult(
            SampleVersions.Bare, 3, 300, [], [new Extent(0, 512, ExtentKind.Data)], [], TimeSpan.FromSeconds(1));
        Assert.Equal("The source differs from db/first in 1 range; what is stored is right.", ScrubReport.Failure(result));
        using var output = new StringWriter { NewLine = "\n" };
        ScrubReport.WriteDifferences(output, result);
        Assert.Equal("differs 0 512\n", output.ToString());
    }

    [Fact]
    public void ACleanScrubIsNoFailure() =>
        Assert.Null(ScrubReport.Failure(
            new ScrubResult(SampleVersions.Bare, 3, 300, [], [], [], TimeSpan.FromSeconds(1))));
}
