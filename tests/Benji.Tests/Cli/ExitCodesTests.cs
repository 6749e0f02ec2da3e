using Benji.Cli;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Cli;

public class ExitCodesTests
{
    public static TheoryData<Exception, int> Failures => new()
    {
        { new UsageException("x"), 64 },
        { new InputDataException("x"), 65 },
        { new CorruptDataException("x"), 65 },
        { new DamagedImageException("x", offset: 0), 65 },
        { new NotFoundException("x"), 66 },
        { new InvariantException("x"), 70 },
        { new InvalidOperationException("x"), 70 },
        { new AlreadyExistsException("x"), 73 },
        { new StorageException("x", isTransient: false), 74 },
        { new CatalogException("x"), 74 },
        { new NoSpaceException("x"), 74 },
        { new ReadOnlyException("x"), 74 },
        { new IOException("x"), 74 },
        { new UnauthorizedAccessException("x"), 74 },
        { new InUseException("x"), 75 },
        { new LeaseLostException("x"), 75 },
        { new NotAllowedException("x"), 77 },
        { new ConfigurationException("x"), 78 },
        { new AgeMismatchException("x"), 78 },
        { new AggregateException(new NotFoundException("x")), 66 },
    };

    [Theory]
    [MemberData(nameof(Failures), DisableDiscoveryEnumeration = true)]
    public void EveryFailureHasItsCode(Exception failure, int code)
    {
        Assert.Equal(code, ExitCodes.Of(failure, isStopped: false));
        Assert.Equal(code, ExitCodes.Of(failure, isStopped: true));
    }

    [Fact]
    public void EveryFailureOfTheProductIsInTheTable()
    {
        var kinds = typeof(BenjiException).Assembly.GetTypes()
            .Where(type => type.IsSubclassOf(typeof(BenjiException)) && !type.IsAbstract);
        var covered = Failures.Select(row => ((object[])row)[0].GetType()).ToHashSet();
        Assert.DoesNotContain(kinds, kind => !covered.Contains(kind));
    }

    [Fact]
    public void ACancellationByASignalIsAnInterruption() =>
        Assert.Equal(130, ExitCodes.Of(new OperationCanceledException(), isStopped: true));

    [Fact]
    public void ACancellationWithoutASignalIsABug() =>
        Assert.Equal(70, ExitCodes.Of(new OperationCanceledException(), isStopped: false));

    [Fact]
    public void AMessageIsTheFailuresOwn() =>
        Assert.Equal(
            "There is no version 'a/b'.",
            ExitCodes.MessageOf(new AggregateException(new NotFoundException("There is no version 'a/b'.")), 66));

    [Fact]
    public void ABugSaysThatItIsOne()
    {
        var message = ExitCodes.MessageOf(new InvariantException("Broken invariant: x"), 70);
        Assert.Contains("InvariantException: Broken invariant: x", message, StringComparison.Ordinal);
        Assert.Contains("This is a bug", message, StringComparison.Ordinal);
    }
}
