using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Benji.Testing.Blocks;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>Plants links at random places of a store and runs every operation: nothing outside is changed or read, a link in the
/// way is refused by its name, and nothing is marked as damaged by it.</summary>
public sealed class StoreLinksTests
{
    private const int Rounds = 6;
    private const int Size = 5 * 4 * BlockGeometry.FrameSize;

    [Fact]
    [Trait("Category", "Random")]
    public Task NoOperationFollowsALinkWhereverItIs() => Seeded.RunAsync(async random =>
    {
        await using var run = new Run(random);
        await run.StartAsync();
        for (var round = 0; round < Rounds; round++)
        {
            await run.PlayAsync();
        }
    });

    [Fact]
    public async Task ARebuildIsRefusedByALinkAmongTheManifestsAndTheOldCatalogStands()
    {
        await using var store = new StoreFixture();
        store.Images.Set("a", Plaintext.Noise(new Random(1), Size));
        var version = (await store.BackupAsync("a")).Version;
        await store.CloseAsync();
        Directory.Move(Path.Combine(store.StoragePath, "versions/a"), store["moved"]);
        Directory.CreateSymbolicLink(Path.Combine(store.StoragePath, "versions/a"), store["moved"]);
        await Assert.ThrowsAsync<ConfigurationException>(() => RebuildAsync(store));
        Assert.Equal(version.Id, Assert.Single(await (await store.StoreAsync()).ListAsync(null)).Id);
        await Assert.ThrowsAsync<ConfigurationException>(store.CleanupAsync);
        Assert.Contains(store.Objects(), name => name.StartsWith("blocks/", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("versions/b", true)]
    [InlineData("versions/b/v1", false)]
    [InlineData("versions/a/v2", false)]
    [InlineData("versions/a/v2/deeper", true)]
    [InlineData("versions/b@c/v1.img", true)]
    [InlineData("versions/-a/v1", true)]
    public async Task ARebuildNamesWhatLooksLikeAManifestAndIsNone(string name, bool isFile)
    {
        await using var store = new StoreFixture();
        store.Images.Set("a", Plaintext.Noise(new Random(1), Size));
        await store.BackupAsync("a");
        await store.CloseAsync();
        var path = Path.Combine(store.StoragePath, name);
        Directory.CreateDirectory(isFile ? Path.GetDirectoryName(path)! : path);
        if (isFile)
        {
            await File.WriteAllTextAsync(path, "x");
        }

        var result = await RebuildAsync(store);
        Assert.Equal(1, result.Versions);
        Assert.Contains(result.Problems, problem => problem.StartsWith(name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task ARebuildOfAStorageWithoutManifestsBecauseAFileIsInTheirPlaceNamesIt()
    {
        await using var store = new StoreFixture();
        store.Images.Set("a", Plaintext.Noise(new Random(1), Size));
        await store.BackupAsync("a");
        await store.CloseAsync();
        Directory.Move(Path.Combine(store.StoragePath, "versions"), store["moved"]);
        await File.WriteAllTextAsync(Path.Combine(store.StoragePath, "versions"), "x");
        Assert.Contains((await RebuildAsync(store)).Problems, problem => problem.StartsWith("versions", StringComparison.Ordinal));
    }

    private static Task<RebuildResult> RebuildAsync(StoreFixture store) => BenjiStore.RebuildAsync(
        store.Options, new RebuildRequest { Force = true }, NullLoggerFactory.Instance, store.Clock, NoProgress.Instance);

    /// <summary>One store, what its versions must be, and a directory outside that no operation may touch.</summary>
    private sealed class Run(Random random) : IAsyncDisposable
    {
        private readonly StoreFixture _store = new();
        private readonly TemporaryDirectory _outside = new();
        private readonly Dictionary<VersionName, byte[]> _versions = [];
        private int _overlays;

        public async Task StartAsync()
        {
            foreach (var volume in new[] { "a", "vm/b" })
            {
                await BackUpAsync(volume);
                await BackUpAsync(volume);
            }

            await CreateOverlayAsync();
        }

        public async Task PlayAsync()
        {
            await _store.CloseAsync();
            var (link, unlink) = Plant();
            var before = FolderSnapshot.Take(_outside.Path);
            foreach (var (name, operation) in Operations().OrderBy(_ => random.Next()))
            {
                var failure = await Record.ExceptionAsync(operation);
                Assert.True(
                    failure is null
                        || (failure is ConfigurationException
                            && failure.Message.Contains($"{link} is a symbolic link", StringComparison.Ordinal)),
                    $"{name} with a link at {link}: {failure}");
                Assert.Equal((name, link, before), (name, link, FolderSnapshot.Take(_outside.Path)));
                Assert.NotNull(new FileInfo(link).LinkTarget);
                if (random.Next(3) == 0)
                {
                    await _store.CloseAsync();
                }
            }

            await _store.CloseAsync();
            unlink();
            Directory.Delete(_outside.Path, recursive: true);
            Directory.CreateDirectory(_outside.Path);
            await CheckAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await _store.DisposeAsync();
            _outside.Dispose();
        }

        private Dictionary<string, Func<Task>> Operations() => new()
        {
            ["backup"] = () => BackUpAsync(random.Next(2) == 0 ? "a" : "vm/b"),
            ["restore"] = async () =>
            {
                var (name, content) = Pick();
                Assert.Equal(content, await _store.RestoreAsync(name));
            },
            ["scrub"] = async () => Assert.Empty((await (await _store.StoreAsync()).ScrubAsync(
                new ScrubRequest { Version = Pick().Key.ToString() }, NoProgress.Instance)).Damage),
            ["deep-scrub"] = async () => Assert.Empty((await _store.DeepScrubAsync(Pick().Key)).Damage),
            ["cleanup"] = async () => await _store.CleanupAsync(),
            ["rm"] = RemoveAsync,
            ["protect"] = async () => await (await _store.StoreAsync()).ProtectAsync(Pick().Key.ToString(), isProtected: false),
            ["label"] = async () => await (await _store.StoreAsync()).LabelAsync(
                Pick().Key.ToString(), new Dictionary<string, string> { ["x"] = $"{random.Next()}" }, []),
            ["overlay create"] = CreateOverlayAsync,
            ["overlay ls"] = async () => await (await _store.StoreAsync()).ListOverlaysAsync(null),
            ["promote"] = PromoteAsync,
            ["rebuild"] = async () =>
            {
                await _store.CloseAsync();
                Assert.Empty((await RebuildAsync(_store)).Problems);
            },
        };

        // Moves a random file or directory of the store away and puts a link in its place.
        private (string Link, Action Unlink) Plant()
        {
            var places = Directory.EnumerateFileSystemEntries(_store.StoragePath, "*", SearchOption.AllDirectories)
                .Where(path => !path.EndsWith("/.tmp", StringComparison.Ordinal))
                .Concat(Directory.EnumerateFiles(_store["overlays"]))
                .Order(StringComparer.Ordinal)
                .ToList();
            var link = places[random.Next(places.Count)];
            var moved = _outside["moved"];
            Directory.Move(link, moved);
            File.WriteAllText(_outside["1"], "precious");
            File.CreateSymbolicLink(link, random.Next(4) switch
            {
                0 => _outside["missing"],
                1 => link,
                2 => moved,
                _ => MakeDecoy(moved),
            });
            return (link, Undo);

            void Undo()
            {
                File.Delete(link);
                Directory.Move(moved, link);
            }
        }

        // The same names with other bytes: whoever reads through the link finds damage.
        private string MakeDecoy(string original)
        {
            var decoy = _outside["decoy"];
            if (File.Exists(original))
            {
                Invert(original, decoy);
                return decoy;
            }

            Directory.CreateDirectory(decoy);
            foreach (var file in Directory.EnumerateFiles(original, "*", SearchOption.AllDirectories))
            {
                Invert(file, Path.Combine(decoy, Path.GetRelativePath(original, file)));
            }

            return decoy;
        }

        private static void Invert(string source, string target)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using var file = File.Create(target);
            file.Write([.. File.ReadAllBytes(source).Select(value => (byte)(value ^ 0xff))]);
        }

        private KeyValuePair<VersionName, byte[]> Pick() => _versions.ElementAt(random.Next(_versions.Count));

        private async Task BackUpAsync(string volume)
        {
            var content = Plaintext.Noise(random, Size);
            _store.Images.Set(volume, content);
            _store.Clock.Advance(TimeSpan.FromMinutes(1));
            _versions.Add((await _store.BackupAsync(volume)).Version.Name, content);
        }

        private async Task RemoveAsync()
        {
            var bases = (await (await _store.StoreAsync()).ListOverlaysAsync(null)).Select(entry => entry.Version.Name).ToHashSet();
            var free = _versions.Keys.Where(name => !bases.Contains(name)).ToList();
            if (free.Count > 1)
            {
                var name = free[random.Next(free.Count)];
                await _store.RemoveAsync(name);
                _versions.Remove(name);
            }
        }

        private async Task CreateOverlayAsync() => await (await _store.StoreAsync()).CreateOverlayAsync(
            Pick().Key.ToString(), $"o{_overlays++}");

        private async Task PromoteAsync()
        {
            var store = await _store.StoreAsync();
            if (await store.ListOverlaysAsync(null) is [var overlay, ..])
            {
                var content = _versions[overlay.Version.Name];
                _store.Clock.Advance(TimeSpan.FromMinutes(1));
                var made = await store.PromoteAsync(new PromoteRequest { Overlay = overlay.Name }, NoProgress.Instance);
                await store.ProtectAsync(made.Version.Name.ToString(), isProtected: false);
                _versions.Add(made.Version.Name, content);
            }
        }

        // What was refused may have been done before it was: a version that came or went is known by the catalog.
        private async Task CheckAsync()
        {
            var listed = (await (await _store.StoreAsync()).ListAsync(null)).ToDictionary(version => version.Name);
            foreach (var gone in _versions.Keys.Where(name => !listed.ContainsKey(name)).ToList())
            {
                _versions.Remove(gone);
            }

            Assert.All(listed.Values, version => Assert.NotEqual(VersionStatus.Invalid, version.Status));
            foreach (var (name, content) in _versions)
            {
                Assert.Equal(content, await _store.RestoreAsync(name));
                Assert.Empty((await _store.DeepScrubAsync(name)).Damage);
            }
        }
    }
}
