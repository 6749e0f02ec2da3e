using Benji.Nbd;
using Benji.Nbd.Session.Exports;
using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Nbd.Session.Exports;

/// <summary>What becomes of one opening of a version: one overlay for all writes, and what is left of it at the end.</summary>
public sealed class ExportTests
{
    private readonly ByteImages _images = new();
    private readonly LogLines _log = new();
    private readonly ImageEntry _version;

    public ExportTests() => _version = _images.Add("vm1/v1", new byte[8192]);

    [Fact]
    public async Task AVersionOfAServerThatMakesNoOverlaysTakesNoWrites()
    {
        var export = await OpenAsync(WritableVersions.None);
        await Assert.ThrowsAsync<NotAllowedException>(() => export.OpenForWritingAsync(CancellationToken.None).AsTask());
        await export.EndAsync(isClean: true);
        Assert.Single(await ListAsync());
    }

    [Fact]
    public async Task WritesAtOnceShareOneOverlay()
    {
        var export = await OpenAsync(WritableVersions.Discard);
        var go = NewSignal();
        _images.Faults.Opening = () => go.Task;
        var writes = Enumerable.Range(0, 3).Select(_ => export.OpenForWritingAsync(CancellationToken.None).AsTask()).ToArray();
        Assert.Equal(2, (await ListAsync()).Count);
        go.SetResult();
        Assert.Single((await Task.WhenAll(writes)).Distinct());
        await export.EndAsync(isClean: true);
    }

    [Fact]
    public async Task AfterAnOverlayCouldNotBeMadeTheNextWriteTriesAgain()
    {
        var export = await OpenAsync(WritableVersions.Promote);
        _images.Faults.Opening = () => throw new NoSpaceException("The disk is full, as told.");
        await Assert.ThrowsAsync<NoSpaceException>(() => export.OpenForWritingAsync(CancellationToken.None).AsTask());
        _images.Faults.Opening = null;
        var image = await export.OpenForWritingAsync(CancellationToken.None);
        await image.WriteAsync(0, new byte[] { 1 }, CancellationToken.None);
        await export.EndAsync(isClean: true);
        Assert.Equal(2, (await ListAsync()).Count(entry => entry.Overlay is null));
    }

    /// <summary>Its write gave up waiting: nobody else would ever close it or discard it.</summary>
    [Fact]
    public async Task TheEndWaitsForAnOverlayThatIsBeingMade()
    {
        var export = await OpenAsync(WritableVersions.Discard);
        var go = NewSignal();
        _images.Faults.Opening = () => go.Task;
        using var impatience = new CancellationTokenSource();
        var write = export.OpenForWritingAsync(impatience.Token).AsTask();
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write);

        var end = export.EndAsync(isClean: true);

        Assert.False(end.IsCompleted);
        go.SetResult();
        await end;
        Assert.Equal(_version, Assert.Single(await ListAsync()));
        Assert.Equal(0, _images.OpenCount);
    }

    [Fact]
    public async Task TheEndMakesDurableWhatWasWrittenBeforeItCloses()
    {
        var steps = new List<string>();
        var export = await OpenAsync(WritableVersions.Promote);
        await WriteAsync(export);
        _images.Faults.Flushing = () => steps.Add("flush");
        _images.Faults.Closing = _ =>
        {
            steps.Add("close");
            return Task.CompletedTask;
        };
        await export.EndAsync(isClean: true);
        Assert.Equal(["flush", "close", "close"], steps);
    }

    [Fact]
    public async Task WhatCouldNotBeMadeDurableAtTheEndIsKeptAndNotPromoted()
    {
        var export = await OpenAsync(WritableVersions.Promote);
        await WriteAsync(export);
        _images.Faults.Flushing = () => throw new NoSpaceException("The disk is full, as told.");
        await export.EndAsync(isClean: true);
        Assert.Single(await ListAsync(), entry => entry.Overlay is null);
        Assert.Single(await ListAsync(), entry => entry.Overlay is not null);
        var warning = Assert.Single(_log.Lines, line => line.Contains("is kept", StringComparison.Ordinal));
        Assert.Contains("as told", warning, StringComparison.Ordinal);
        Assert.Equal(0, _images.OpenCount);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static async Task WriteAsync(Export export)
    {
        var image = await export.OpenForWritingAsync(CancellationToken.None);
        await image.WriteAsync(0, new byte[] { 1 }, CancellationToken.None);
    }

    private async Task<Export> OpenAsync(WritableVersions mode) => new(
        _images,
        await _images.OpenVersionAsync(_version, CancellationToken.None),
        [],
        mode,
        new ExportOwner("test", _log));

    private Task<IReadOnlyList<ImageEntry>> ListAsync() => _images.ListAsync("vm1", CancellationToken.None);
}
