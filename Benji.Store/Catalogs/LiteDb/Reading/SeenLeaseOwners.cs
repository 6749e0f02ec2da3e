using Benji.Store.Catalogs.LiteDb.Roles;
using Benji.Store.Posix;

namespace Benji.Store.Catalogs.LiteDb.Reading;

/// <summary>The owners of leases as somebody sees them who may not be one: nothing is locked for longer than a look, nothing
/// is removed.</summary>
/// <param name="directory">Where the owners' files stand; it may be missing.</param>
internal sealed class SeenLeaseOwners(string directory) : ILeaseOwners
{
    /// <inheritdoc/>
    public LeaseOwner Self { get; } = FileLeaseOwners.NewSelf();

    /// <inheritdoc/>
    public string BootId { get; } = FileLeaseOwners.ReadBootId();

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">Always.</exception>
    public void Announce() => throw new NotSupportedException("Who only reads holds no lease.");

    /// <inheritdoc/>
    public bool? IsAlive(LeaseOwner owner, string bootId)
    {
        if (bootId != BootId)
        {
            return owner.Host == Self.Host ? false : null;
        }

        try
        {
            using var file = FileLock.OpenForReading(FileLeaseOwners.PathOf(directory, owner.Token));
            return file is not null && !file.TryAcquireShared();
        }
        catch (PosixException failure) when (failure.IsRefused)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public bool HasReaders() => false;

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is held.
    }
}
