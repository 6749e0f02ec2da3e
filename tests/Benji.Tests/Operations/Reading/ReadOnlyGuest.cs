using Benji.Store;
using Benji.Store.Catalogs.LiteDb.Reading;
using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Benji.Testing.Serving;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Operations.Reading;

/// <summary>Somebody who reads a store that others change, and cannot write there: now and then a version, for some time.</summary>
internal sealed class ReadOnlyGuest(StoreFixture fixture) : IAsyncDisposable
{
    private BenjiStore? _store;
    private IImage? _image;
    private byte[] _content = [];

    /// <summary>Opens a version and keeps it open, or reads the open one and, half the time, closes it.</summary>
    public async Task StepAsync(Random random, Dictionary<VersionName, byte[]> expected)
    {
        if (_image is not null)
        {
            Assert.Equal(_content, await _image.ReadAllAsync());
            if (random.Next(2) == 0)
            {
                await DisposeAsync();
            }
        }
        else if (expected.Count > 0)
        {
            await OpenAsync(expected.ElementAt(random.Next(expected.Count)));
        }
    }

    /// <summary>Closes what is open.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
        {
            await _image!.DisposeAsync();
            await _store.DisposeAsync();
            (_store, _image) = (null, null);
        }
    }

    private async Task OpenAsync(KeyValuePair<VersionName, byte[]> version)
    {
        _content = version.Value;
        _store = await BenjiStore.OpenAsync(
            fixture.Options,
            new StoreParts { OpenCatalog = async (options, _, token) => await ReadOnlyCatalog.OpenAsync(options, token) },
            StoreUse.Read,
            NullLoggerFactory.Instance,
            fixture.Clock,
            CancellationToken.None);
        var images = _store.OpenImages(cacheBytes: 1);
        _image = await images.OpenVersionAsync(
            (await images.FindAsync(version.Key.ToString(), CancellationToken.None))!, CancellationToken.None);
        var target = Guid.NewGuid().ToString("N");
        var result = await _store.RestoreAsync(
            new RestoreRequest { Version = version.Key.ToString(), Target = target }, NoProgress.Instance);
        Assert.Empty(result.Damage);
        Assert.Equal(_content, fixture.Images[target].Content);
    }
}
