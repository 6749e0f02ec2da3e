using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Images;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Operations.Overlays;

/// <summary>Several overlays of several versions, changed, promoted, discarded and reopened at random, against arrays of
/// bytes.</summary>
public sealed class OverlayStoreModelTests
{
    private const int Frame = BlockGeometry.FrameSize;
    private const int Size = (13 * Frame) + 333;
    private const int Steps = 60;
    private const int OverlaysMax = 4;
    private const int VersionsMax = 6;

    [Fact]
    public async Task OverlaysAndVersionsAreWhatWasWrittenToThem() => await Seeded.RunAsync(async random =>
    {
        await using var run = new Run(random);
        await run.StartAsync();
        for (var step = 0; step < Steps; step++)
        {
            await run.StepAsync(step);
        }

        await run.CheckAsync();
    });

    private sealed class Run(Random random) : IAsyncDisposable
    {
        private readonly StoreFixture _store = new();
        private readonly Dictionary<VersionName, byte[]> _versions = [];
        private readonly Dictionary<string, (ImageEntry Entry, byte[] Content)> _overlays = [];
        private readonly Dictionary<VersionName, bool> _protected = [];

        public async Task StartAsync()
        {
            var content = FramePattern.Make(random, Size);
            _store.Images.Set("disk", [.. content]);
            var version = (await _store.BackupAsync("disk", request => request with { Version = "v" })).Version.Name;
            (_versions[version], _protected[version]) = (content, false);
        }

        public Task StepAsync(int step) => random.Next(10) switch
        {
            0 or 1 => CreateAsync($"o{step}"),
            2 => PromoteAsync($"p{step}"),
            3 => DiscardAsync(),
            4 => RemoveAsync(),
            5 => CleanUpAsync(),
            _ => ChangeAsync(),
        };

        public async Task CheckAsync()
        {
            Assert.Equal(
                _overlays.Keys.Order(StringComparer.Ordinal),
                (await _store.ListOverlaysAsync()).Select(entry => entry.Name).Order(StringComparer.Ordinal));
            Assert.Equal(_overlays.Count, _store.OverlayFiles().Count);
            foreach (var (entry, content) in _overlays.Values)
            {
                await _store.ChangeOverlayAsync(entry, async image => Assert.Equal(content, await image.ReadAllAsync()));
            }

            await FourChecks.RunAsync(_store, _versions);
        }

        public ValueTask DisposeAsync() => _store.DisposeAsync();

        private async Task CreateAsync(string name)
        {
            if (_overlays.Count < OverlaysMax)
            {
                var (version, content) = Pick(_versions);
                var entry = await _store.CreateOverlayAsync(version, name);
                _overlays.Add(entry.Name, (entry, [.. content]));
            }
        }

        private async Task ChangeAsync()
        {
            if (_overlays.Count == 0)
            {
                return;
            }

            var (entry, content) = Pick(_overlays).Value;
            await _store.ChangeOverlayAsync(entry, async image =>
            {
                for (var i = random.Next(1, 6); i > 0; i--)
                {
                    await ChangeAsync(image, content);
                }

                Assert.Equal(content, await image.ReadAllAsync());
            });
        }

        private async Task ChangeAsync(IWritableImage image, byte[] content)
        {
            var offset = random.Next(Size);
            var length = Math.Min(Size - offset, random.Next(1, 3 * Frame));
            if (random.Next(3) == 0)
            {
                content.AsSpan(offset, length).Clear();
                await image.ZeroAsync(offset, length, random.Next(2) == 0, CancellationToken.None);
            }
            else
            {
                random.NextBytes(content.AsSpan(offset, length));
                await image.WriteAsync(offset, content.AsMemory(offset, length), CancellationToken.None);
            }
        }

        private async Task PromoteAsync(string name)
        {
            if (_overlays.Count > 0 && _versions.Count < VersionsMax)
            {
                var (overlay, (entry, content)) = Pick(_overlays);
                var version = (await _store.PromoteAsync(entry, name)).Version.Name;
                _overlays.Remove(overlay);
                (_versions[version], _protected[version]) = (content, true);
                Assert.Equal(content, await _store.RestoreAsync(version));
            }
        }

        private async Task DiscardAsync()
        {
            if (_overlays.Count > 0)
            {
                var (name, (entry, _)) = Pick(_overlays);
                await _store.RemoveOverlayAsync(entry, force: true);
                _overlays.Remove(name);
            }
        }

        private async Task RemoveAsync()
        {
            var (version, _) = Pick(_versions);
            if (_overlays.Values.Any(overlay => overlay.Entry.Version.Name == version))
            {
                await Assert.ThrowsAnyAsync<BenjiException>(() => _store.RemoveAsync(version));
            }
            else if (_protected[version])
            {
                await Assert.ThrowsAsync<NotAllowedException>(() => _store.RemoveAsync(version));
                await (await _store.StoreAsync()).ProtectAsync(version.ToString(), isProtected: false);
                _protected[version] = false;
            }
            else if (_versions.Count > 1)
            {
                await _store.RemoveAsync(version);
                _versions.Remove(version);
            }
        }

        // Another process would see the same.
        private async Task CleanUpAsync()
        {
            await _store.CloseAsync();
            _store.Clock.Advance(TimeSpan.FromHours(2));
            await _store.CleanupAsync();
        }

        private KeyValuePair<TKey, TValue> Pick<TKey, TValue>(Dictionary<TKey, TValue> from)
            where TKey : notnull => from.ElementAt(random.Next(from.Count));
    }
}
