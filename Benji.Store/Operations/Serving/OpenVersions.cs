using Benji.Store.Catalogs;
using Benji.Store.Images;
using Benji.Store.Images.Versions;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Serving;

/// <summary>Opens versions as images, all openings of one under one lease that keeps its blocks.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
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
            var source = await stores.OpenAsync(opening.Version.Storage, cancellationToken);
            return new VersionImage(new ImageEntry(opening.Version), source, () => LeaveAsync(opening));
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
                var (version, lease) = await context.Catalog.WriteAsync(
                    transaction => Begin(transaction, id), cancellationToken);
                opening = new Opening(version, HeldLease.Hold(context.Catalog, lease, context.Time));
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

    private static (VersionRecord Version, Lease Lease) Begin(ICatalogTransaction transaction, Guid id)
    {
        var version = transaction.Versions.Find(id) ?? throw new NotFoundException("The version was removed meanwhile.");
        return (version, HeldLease.AcquireIn(
            transaction, ImageRoot.ResourceOf(version), LeaseMode.Shared, $"image of {version.Name}"));
    }

    private async ValueTask LeaveAsync(Opening opening)
    {
        await _gate.WaitAsync();
        try
        {
            if (--opening.Count == 0)
            {
                _openings.Remove(opening.Version.Id);
                await opening.Lease.DisposeAsync();
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    private sealed record Opening(VersionRecord Version, HeldLease Lease)
    {
        public int Count { get; set; }
    }
}
