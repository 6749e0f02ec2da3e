using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Benji.Testing.Images;
using Benji.Tests.Operations.Age;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Operations.Failure;

/// <summary>One of two real storages is away: its directory is missing, or empty because nothing is mounted on it.</summary>
public sealed class AwayTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly MemoryImages _images = new();
    private readonly ManualClock _clock = new();
    private VersionRecord _here = null!;
    private VersionRecord _away = null!;

    public static TheoryData<string, bool> Commands
    {
        get
        {
            var commands = new TheoryData<string, bool>();
            foreach (var command in new[] { "backup", "rm", "label", "restore", "scrub", "deep-scrub", "image", "cleanup" })
            {
                commands.Add(command, false);
                commands.Add(command, true);
            }

            return commands;
        }
    }

    public async Task InitializeAsync()
    {
        _clock.Advance(TimeSpan.FromDays(365 * 80));
        _images.Set("a", RandomNumberGenerator.GetBytes(100_000));
        _images.Set("b", RandomNumberGenerator.GetBytes(100_000));
        await using var store = await OpenAsync(StoreUse.Create);
        _here = await AgeWorld.BackupAsync(store, "a", "one");
        _away = await AgeWorld.BackupAsync(store, "b", "two");
    }

    public Task DisposeAsync()
    {
        _directory.Dispose();
        return Task.CompletedTask;
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task ACommandThatNeedsItFailsAndMakesNothingInItsPlace(string command, bool isEmpty)
    {
        Leave(isEmpty);

        await Assert.ThrowsAsync<StorageException>(async () =>
        {
            await using var store = await OpenAsync(StoreUse.Create);
            await RunAsync(store, command);
        });

        CheckPlace(isEmpty);
        ComeBack();
        await using var after = await OpenAsync(StoreUse.Change);
        Assert.Equal(VersionStatus.Valid, (await after.ListAsync("b")).Single().Status);
    }

    [Fact]
    public async Task OneThatIsNoLongerConfiguredIsNotAWrongCommandLine()
    {
        await using var store = await BenjiStore.OpenAsync(
            Options with { Storages = [Options.Storages[0]] }, StoreUse.Change, NullLoggerFactory.Instance, _clock);

        Assert.Equal(2, (await store.ListAsync(null)).Count);
        await AgeWorld.BackupAsync(store, "a");
        await Assert.ThrowsAsync<ConfigurationException>(() => RunAsync(store, "restore"));
        await Assert.ThrowsAsync<UsageException>(() => AgeWorld.BackupAsync(store, "a", "three"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ARebuildDoesNotForgetIt(bool isEmpty)
    {
        Leave(isEmpty);

        var failure = await Assert.ThrowsAsync<StorageException>(() => RebuildAsync());

        Assert.Contains("storage two, with 1 version,", failure.Message, StringComparison.Ordinal);
        Assert.Contains("--forget two", failure.Message, StringComparison.Ordinal);
        CheckPlace(isEmpty);

        // The old catalog works on, for both.
        ComeBack();
        await using (var store = await OpenAsync(StoreUse.Change))
        {
            Assert.Equal(2, (await store.ListAsync(null)).Count);
            await AgeWorld.BackupAsync(store, "a");
            await AgeWorld.BackupAsync(store, "b");
        }

        Assert.Equal((4L, 0), Counts(await RebuildAsync()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ARebuildForgetsItWhenToldSoAndItIsNotTakenForANewOneLater(bool isEmpty)
    {
        Leave(isEmpty);

        Assert.Equal((1L, 0), Counts(await RebuildAsync("two")));

        CheckPlace(isEmpty);
        ComeBack();
        await using (var store = await OpenAsync(StoreUse.Change))
        {
            Assert.Equal([_here.Name], (await store.ListAsync(null)).Select(version => version.Name));
            await Assert.ThrowsAsync<ConfigurationException>(() => AgeWorld.BackupAsync(store, "b", "two"));
        }

        Assert.Equal((2L, 0), Counts(await RebuildAsync()));
    }

    [Fact]
    public async Task ARebuildDoesNotForgetAStorageThatIsNoLongerConfiguredOrIsAnotherStore()
    {
        await Assert.ThrowsAsync<StorageException>(() => RebuildAsync(Options with { Storages = [Options.Storages[0]] }));

        Leave(isEmpty: false);
        await using (var other = await BenjiStore.OpenAsync(
            Options with { CatalogPath = _directory["other/catalog.db"] },
            StoreUse.Create,
            NullLoggerFactory.Instance,
            _clock))
        {
            await AgeWorld.BackupAsync(other, "b", "two");
        }

        await Assert.ThrowsAsync<StorageException>(() => RebuildAsync());
        Assert.Equal((2L, 0), Counts(await RebuildAsync("two")));
    }

    [Fact]
    public async Task AStorageOfAnotherNameIsTheOneThatTheCatalogKnows()
    {
        var options = Options with { Storages = [Options.Storages[0], Options.Storages[1] with { Name = "renamed" }] };
        Assert.Equal((2L, 0), Counts(await RebuildAsync(options)));
    }

    [Fact]
    public async Task AStorageThatCannotBeLookedIntoIsNotAnEmptyOne()
    {
        var lost = Options.Storages[1] with { Path = _directory[new string('x', 300)] };
        var options = Options with { CatalogPath = _directory["new.db"], Storages = [Options.Storages[0], lost] };

        await Assert.ThrowsAsync<StorageException>(() => RebuildAsync(options));
        Assert.False(File.Exists(_directory["new.db"]));
    }

    [Fact]
    public async Task OnlyWhatIsAwayCanBeForgotten()
    {
        await Assert.ThrowsAsync<UsageException>(() => RebuildAsync("two"));
        await Assert.ThrowsAsync<UsageException>(() => RebuildAsync("unknown"));
    }

    [Fact]
    public async Task WithoutACatalogAnEmptyStorageIsPassedOverWithAWarning()
    {
        Leave(isEmpty: true);
        foreach (var file in Directory.GetFiles(_directory.Path, "catalog*"))
        {
            File.Delete(file);
        }

        using var log = new WarningLog();
        Assert.Equal((1L, 0), Counts(await RebuildAsync(Options, log)));
        Assert.Contains("Storage two is missing or empty", Assert.Single(log.Warnings), StringComparison.Ordinal);
    }

    private static (long Versions, int Problems) Counts(RebuildResult result) => (result.Versions, result.Problems.Count);

    private StoreOptions Options => new()
    {
        CatalogPath = _directory["catalog.db"],
        OverlayDirectory = _directory["overlays"],
        Storages =
        [
            new StorageOptions { Name = "one", Path = _directory["s1"] },
            new StorageOptions { Name = "two", Path = _directory["s2"] },
        ],
        DefaultStorage = "one",
        Sources = _images,
        Workers = 1,
    };

    private Task<BenjiStore> OpenAsync(StoreUse use) =>
        BenjiStore.OpenAsync(Options, use, NullLoggerFactory.Instance, _clock);

    private Task<RebuildResult> RebuildAsync(params string[] forget) => RebuildAsync(Options, null, forget);

    private Task<RebuildResult> RebuildAsync(StoreOptions options, ILoggerFactory? log = null, params string[] forget) =>
        BenjiStore.RebuildAsync(
            options,
            new RebuildRequest { Force = true, Forget = forget },
            log ?? NullLoggerFactory.Instance,
            _clock,
            NoProgress.Instance);

    private void Leave(bool isEmpty)
    {
        Directory.Move(_directory["s2"], _directory["s2-away"]);
        if (isEmpty)
        {
            Directory.CreateDirectory(_directory["s2"]);
        }
    }

    private void CheckPlace(bool isEmpty)
    {
        Assert.Equal(isEmpty, Directory.Exists(_directory["s2"]));
        Assert.True(!isEmpty || !Directory.EnumerateFileSystemEntries(_directory["s2"]).Any());
    }

    private void ComeBack()
    {
        if (Directory.Exists(_directory["s2"]))
        {
            Directory.Delete(_directory["s2"]);
        }

        Directory.Move(_directory["s2-away"], _directory["s2"]);
    }

    private async Task RunAsync(BenjiStore store, string command)
    {
        var name = _away.Name.ToString();
        switch (command)
        {
            case "backup":
                await AgeWorld.BackupAsync(store, "b");
                break;
            case "rm":
                await store.RemoveAsync(new RemoveRequest { Versions = [name], Force = true });
                break;
            case "label":
                await store.LabelAsync(name, new Dictionary<string, string> { ["x"] = "y" }, []);
                break;
            case "restore":
                await store.RestoreAsync(new RestoreRequest { Version = name, Target = "target" }, NoProgress.Instance);
                break;
            case "image":
                var images = store.OpenImages();
                await images.OpenVersionAsync((await images.FindAsync(name, default))!, default);
                break;
            case "cleanup":
                await store.CleanupAsync(new CleanupRequest(), NoProgress.Instance);
                break;
            default:
                await store.ScrubAsync(
                    new ScrubRequest { Version = name, IsDeep = command == "deep-scrub" }, NoProgress.Instance);
                break;
        }
    }
}
