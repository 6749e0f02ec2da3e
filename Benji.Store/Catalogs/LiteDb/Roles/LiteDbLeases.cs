using System.Diagnostics.CodeAnalysis;
using Benji.Store.Catalogs.LiteDb.Rows;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>The leases in LiteDB; those of dead owners are removed when they are met.</summary>
internal sealed class LiteDbLeases(LiteDbRows rows, ILeaseOwners owners, TimeProvider timeProvider) : ILeases
{
    private const string Collection = LiteDbSchema.Leases;
    private const string FencingKey = "fencing";
    private static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(60);

    /// <inheritdoc/>
    public bool TryAcquire(
        string resource,
        LeaseMode mode,
        string purpose,
        [NotNullWhen(true)] out Lease? lease,
        [NotNullWhen(false)] out Lease? holder)
    {
        var now = timeProvider.GetUtcNow();
        CountFutureAsNow(now);
        var key = RowKey.Of(resource);
        foreach (var found in rows.Range(Collection, LiteDbSchema.Name, key, key))
        {
            var (other, bootId) = Unpack(found);
            if (!IsLiving(other, bootId))
            {
                rows.Remove(Collection, found[LiteDbSchema.Key]);
            }
            else if (mode == LeaseMode.Exclusive || other.Mode == LeaseMode.Exclusive)
            {
                lease = null;
                holder = other;
                return false;
            }
        }

        if (resource.StartsWith(LeaseResource.VolumePrefix, StringComparison.Ordinal))
        {
            rows.Grow();
        }

        owners.Announce();
        lease = new Lease(NextFencing(), resource, mode, owners.Self, purpose, now, now + TimeToLive);
        holder = null;
        rows.Put(Collection, Pack(lease, owners.BootId));
        return true;
    }

    /// <inheritdoc/>
    public bool Renew(Lease lease)
    {
        if (!IsHeld(lease))
        {
            return false;
        }

        rows.Put(Collection, Pack(lease with { Expires = timeProvider.GetUtcNow() + TimeToLive }, owners.BootId));
        return true;
    }

    /// <inheritdoc/>
    public void Release(Lease lease) => rows.Remove(Collection, new BsonValue(lease.Fencing));

    /// <inheritdoc/>
    public bool IsHeld(Lease lease) => rows.Find(Collection, new BsonValue(lease.Fencing)) is not null;

    /// <inheritdoc/>
    public IReadOnlyList<Lease> List(string resourcePrefix)
    {
        var (first, last) = RowKey.Prefix(resourcePrefix);
        var living = new List<Lease>();
        foreach (var found in rows.Range(Collection, LiteDbSchema.Name, first, last))
        {
            var (lease, bootId) = Unpack(found);
            if (IsLiving(lease, bootId))
            {
                living.Add(lease);
            }
        }

        return living;
    }

    /// <inheritdoc/>
    public bool HasReaders() => owners.HasReaders();

    private bool IsLiving(Lease lease, string bootId) =>
        owners.IsAlive(lease.Owner, bootId) ?? timeProvider.GetUtcNow() < lease.Expires;

    private long NextFencing()
    {
        var last = rows.Find(LiteDbSchema.Meta, FencingKey) is { } found
            ? CatalogDamage.Unpack(LiteDbSchema.Meta, found, meta => checked(meta[LiteDbSchema.Value].AsInt64 + 1)) - 1
            : 0;
        var row = new BsonDocument { [LiteDbSchema.Key] = FencingKey, [LiteDbSchema.Value] = last + 1 };
        rows.Put(LiteDbSchema.Meta, row);
        return last + 1;
    }

    // A clock that was ahead must not keep a lease alive until that day: it lives as long as one that is renewed now.
    private void CountFutureAsNow(DateTimeOffset now)
    {
        var (first, last) = RowKey.Prefix("");
        foreach (var found in rows.Range(Collection, LiteDbSchema.Name, first, last))
        {
            var (lease, bootId) = Unpack(found);
            if (lease.Expires > now + TimeToLive)
            {
                rows.Put(Collection, Pack(lease with { Expires = now + TimeToLive }, bootId));
            }
        }
    }

    private static BsonDocument Pack(Lease lease, string bootId) => new()
    {
        [LiteDbSchema.Key] = lease.Fencing,
        [LiteDbSchema.Name] = RowKey.Of(lease.Resource),
        [LiteDbSchema.Value] = new RowWriter()
            .Text(lease.Resource)
            .Byte((int)lease.Mode)
            .Text(lease.Owner.Host)
            .Number(lease.Owner.ProcessId)
            .Id(lease.Owner.Token)
            .Text(bootId)
            .Text(lease.Purpose)
            .Time(lease.Started)
            .Time(lease.Expires)
            .ToValue(),
    };

    private static (Lease Lease, string BootId) Unpack(BsonDocument found) =>
        CatalogDamage.Unpack(Collection, found, Read);

    private static (Lease Lease, string BootId) Read(BsonDocument found)
    {
        var row = new RowReader(found);
        var fencing = found[LiteDbSchema.Key].AsInt64;
        var resource = row.Text();
        var mode = (LeaseMode)row.Choice((int)LeaseMode.Exclusive);
        var owner = new LeaseOwner(row.Text(), row.Int(), row.Id());
        var bootId = row.Text();
        var lease = new Lease(fencing, resource, mode, owner, row.Text(), row.Time(), row.Time());
        CatalogDamage.RequireKey(found, LiteDbSchema.Name, RowKey.Of(resource));
        return row.End((lease, bootId));
    }
}
