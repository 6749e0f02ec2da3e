using Benji.Nbd;
using Benji.Nbd.Session.Exports;
using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Nbd.Session.Exports;

/// <summary>What names of exports stand for, and how they are opened.</summary>
public sealed class ExportDirectoryTests
{
    private readonly ByteImages _images = new();
    private readonly LogLines _log = new();
    private readonly ImageEntry _version;

    public ExportDirectoryTests() => _version = _images.Add("vm1/v1", new byte[8192]);

    [Fact]
    public async Task AnOverlayIsMadeOfAVersionOnly()
    {
        var exports = Directory(new NbdServerOptions());
        await _images.CreateOverlayAsync(_version, "work", CancellationToken.None);
        Assert.NotNull(await exports.FindAsync("vm1/v1@other", mayCreate: true, CancellationToken.None));
        Assert.Null(await exports.FindAsync("vm1/v1@work@other", mayCreate: true, CancellationToken.None));
        Assert.Null(await exports.FindAsync("vm1/v2@other", mayCreate: true, CancellationToken.None));
    }

    [Theory]
    [InlineData(WritableVersions.Discard)]
    [InlineData(WritableVersions.Promote)]
    public async Task AReadOnlyServerMakesNoThrowAwayOverlay(WritableVersions writable)
    {
        var export = await OpenAsync(Directory(new NbdServerOptions { ReadOnly = true, Writable = writable }));
        await Assert.ThrowsAsync<NotAllowedException>(() => export.OpenForWritingAsync(CancellationToken.None).AsTask());
        await export.EndAsync(isClean: true);
        Assert.Single(await _images.ListAsync(volume: null, CancellationToken.None));
    }

    /// <summary>The version to compare with may go between the choice of the context and that of the export.</summary>
    [Fact]
    public async Task AnExportWhoseContextIsGoneIsClosedAgain()
    {
        var exports = Directory(new NbdServerOptions());
        await Assert.ThrowsAsync<NotFoundException>(
            () => OpenAsync(exports, new MetadataContext(ContextKind.Changes, "vm1/gone")));
        Assert.Equal(0, _images.OpenCount);
    }

    private ExportDirectory Directory(NbdServerOptions options) => new(_images, options, _log);

    private async Task<Export> OpenAsync(ExportDirectory exports, params MetadataContext[] contexts)
    {
        var target = await exports.FindAsync(_version.Name, mayCreate: true, CancellationToken.None);
        return await exports.OpenAsync(target!, contexts, "test", CancellationToken.None);
    }
}
