using Benji.Store.Catalogs;
using Benji.Store.Images;
using Benji.Store.Images.Versions;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Serving;

/// <summary>Opens versions as images, all openings of one under one lease that keeps its blocks.</summary>
/// <remarks>Where no lease can be left, reads fail once the version is gone. Safe for concurrent calls.</remarks>
internal sealed class OpenVersions(StoreContext context, ImageStores stores) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Dictionary<Guid, Opening> _openings = [];

    /// <summary>Opens a version.</summary>
    /// <exception cref="NotFoundException">It is gone.</exception>
    public async Task<VersionImage> OpenAsync(Guid id, CancellationToken cancellationToken)
    {
        var opening = await EnterAsync(id, cancellationToken);
        try
        {
            var source = await stores.OpenAsync(opening.Hold.Version.Storage, cancellationToken);
            return new VersionImage(
                new ImageEntry(opening.Hold.Version), source, () => LeaveAsync(opening), opening.Hold.Gone);
        }
        catch
        {
            await LeaveAsync(opening);
            throw;
        }
    }

    /// <summary>Ends; every image is closed.</summary>
    public void Dispose() => _gate.Dispose();

    private async Task<Opening> EnterAsync(Guid id, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (!_openings.TryGetValue(id, out var opening))
            {
                opening = new Opening(await ReadingHold.TakeAsync(
                    context, transaction => Find(transaction, id), ImageRoot.ResourceOf, "image", cancellationToken));
                _openings.Add(id, opening);
            }

            opening.Count++;
            return opening;
        }
        finally
        {
            _gate.Release();
        }
    }

    private static VersionRecord Find(ICatalogTransaction transaction, Guid id) =>
        transaction.Versions.Find(id) ?? throw new NotFoundException("The version was removed meanwhile.");

    private async ValueTask LeaveAsync(Opening opening)
    {
        await _gate.WaitAsync();
        try
        {
            if (--opening.Count == 0)
            {
                _openings.Remove(opening.Hold.Version.Id);
                await opening.Hold.DisposeAsync();
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    private sealed record Opening(ReadingHold Hold)
    {
        public int Count { get; set; }
    }
}
