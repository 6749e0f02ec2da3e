using Benji.Store.Storages;
using Benji.Testing.Storages;

namespace Benji.Tests.Storages;

public sealed class MemoryStorageTests : StorageContract
{
    internal override IStorage CreateStorage() => new MemoryStorage();
}

public sealed class MemoryStorageBatchTests : StorageBatchContract
{
    internal override IStorage CreateStorage() => new MemoryStorage();
}

public sealed class MemoryStorageListingTests : StorageListingContract
{
    internal override IStorage CreateStorage() => new MemoryStorage();
}
