using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Store.Storages.Files;
using Benji.Store.Storages.Wrappers;
using Benji.Testing;
using Benji.Testing.Storages;

namespace Benji.Tests.Storages.Wrappers;

/// <summary>The wrappers as the contracts see them, over memory one by one and over files all together.</summary>
internal static class Wrapped
{
    private static readonly RetryPolicy Policy = new(4, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(8));

    /// <summary>Every call that may be repeated fails twice before it succeeds; every second failure comes after the effect.
    /// </summary>
    public static IStorage Retrying(IStorage inner)
    {
        long seen = -1;
        var faulty = new FaultyStorage(inner, call =>
            call.Kind is StorageCallKind.Create or StorageCallKind.Commit ? null
            : (Interlocked.Increment(ref seen) % 3) switch
            {
                0 => Fault.Transient(),
                1 when call.Kind is not StorageCallKind.List => Fault.AfterEffect(),
                _ => null,
            });
        return new RetryingStorage(faulty, Policy with { AttemptsMax = 1000 }, new Random(1), new EagerClock());
    }

    public static IStorage Throttled(IStorage inner) => new ThrottledStorage(inner, 5000, 7000, new EagerClock());

    public static IStorage Metered(IStorage inner) => new MeteredStorage(inner);

    public static IStorage Limited(IStorage inner) => new LimitedStorage(inner);

    public static IStorage ReadBack(IStorage inner) => new ReadBackStorage(inner, new BlockBufferPool(1 << 20));

    public static IStorage All(string root) => Metered(Throttled(Limited(Retrying(
        new FileStorage(new FileStorageOptions { Path = root, Create = true })))));
}

public sealed class RetryingContractTests : StorageContract
{
    internal override IStorage CreateStorage() => Wrapped.Retrying(new MemoryStorage());
}

public sealed class RetryingBatchTests : StorageBatchContract
{
    internal override IStorage CreateStorage() => Wrapped.Retrying(new MemoryStorage());
}

public sealed class RetryingListingTests : StorageListingContract
{
    internal override IStorage CreateStorage() => Wrapped.Retrying(new MemoryStorage());
}

public sealed class ReadBackContractTests : StorageContract
{
    internal override IStorage CreateStorage() => Wrapped.ReadBack(new MemoryStorage());
}

public sealed class ReadBackBatchTests : StorageBatchContract
{
    internal override IStorage CreateStorage() => Wrapped.ReadBack(new MemoryStorage());
}

public sealed class ReadBackListingTests : StorageListingContract
{
    internal override IStorage CreateStorage() => Wrapped.ReadBack(new MemoryStorage());
}

public sealed class ThrottledContractTests : StorageContract
{
    internal override IStorage CreateStorage() => Wrapped.Throttled(new MemoryStorage());
}

public sealed class ThrottledBatchTests : StorageBatchContract
{
    internal override IStorage CreateStorage() => Wrapped.Throttled(new MemoryStorage());
}

public sealed class ThrottledListingTests : StorageListingContract
{
    internal override IStorage CreateStorage() => Wrapped.Throttled(new MemoryStorage());
}

public sealed class MeteredContractTests : StorageContract
{
    internal override IStorage CreateStorage() => Wrapped.Metered(new MemoryStorage());
}

public sealed class MeteredBatchTests : StorageBatchContract
{
    internal override IStorage CreateStorage() => Wrapped.Metered(new MemoryStorage());
}

public sealed class MeteredListingTests : StorageListingContract
{
    internal override IStorage CreateStorage() => Wrapped.Metered(new MemoryStorage());
}

public sealed class LimitedContractTests : StorageContract
{
    internal override IStorage CreateStorage() => Wrapped.Limited(new MemoryStorage());
}

public sealed class LimitedBatchTests : StorageBatchContract
{
    internal override IStorage CreateStorage() => Wrapped.Limited(new MemoryStorage());
}

public sealed class LimitedListingTests : StorageListingContract
{
    internal override IStorage CreateStorage() => Wrapped.Limited(new MemoryStorage());
}

public sealed class AllWrappersContractTests : StorageContract
{
    internal override IStorage CreateStorage() => Wrapped.All(Root);
}

public sealed class AllWrappersBatchTests : StorageBatchContract
{
    internal override IStorage CreateStorage() => Wrapped.All(Root);
}

public sealed class AllWrappersListingTests : StorageListingContract
{
    internal override IStorage CreateStorage() => Wrapped.All(Root);
}
