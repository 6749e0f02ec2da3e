using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Store.Storages.Wrappers;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Storages.Wrappers;

public sealed class ReadBackStorageTests
{
    // Longer than one piece of the reading back, so that the last piece counts too.
    private static readonly byte[] Content = Bytes(2_500_000);

    private static readonly ObjectName Name = new("blocks/ab/x");

    private readonly BlockBufferPool _pool = new(1 << 20);

    private static CancellationToken None => CancellationToken.None;

    public static TheoryData<string> Kinds => ["create", "put", "batch"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task WhatIsKeptIsWritten(string kind)
    {
        await using var storage = new ReadBackStorage(new MemoryStorage(), _pool);
        await WriteAsync(storage, kind);
        Assert.Equal(Content.Length, (await storage.FindAsync(Name, None))?.Size);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AFlippedByteIsRefused(string kind) =>
        await RefuseAsync(kind, new Fault { CorruptAt = Content.Length - 1 });

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AShortObjectIsRefused(string kind) => await RefuseAsync(kind, new Fault { ShortTo = 2_000_000 });

    [Fact]
    public async Task AnObjectThatIsTakenIsNotReadBack()
    {
        await using var memory = new MemoryStorage();
        await memory.PutAsync(Name, new byte[3], None);
        await using var storage = new ReadBackStorage(memory, _pool);
        Assert.False(await storage.TryCreateAsync(Name, Content, None));
    }

    private static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(7).NextBytes(bytes);
        return bytes;
    }

    private static async Task WriteAsync(ReadBackStorage storage, string kind)
    {
        switch (kind)
        {
            case "create":
                Assert.True(await storage.TryCreateAsync(Name, Content, None));
                break;
            case "put":
                await storage.PutAsync(Name, Content, None);
                break;
            default:
                await using (var batch = storage.StartBatch())
                {
                    await batch.AddAsync(Name, new byte[10], None);
                    await batch.AddAsync(Name, Content, None);
                    await batch.CommitAsync(None);
                }

                break;
        }
    }

    private async Task RefuseAsync(string kind, Fault fault)
    {
        var faulty = new FaultyStorage(new MemoryStorage(), call =>
            call.Kind is StorageCallKind.Create or StorageCallKind.Put or StorageCallKind.Add ? fault : null);
        await using var storage = new ReadBackStorage(faulty, _pool);
        var failure = await Assert.ThrowsAsync<StorageException>(() => WriteAsync(storage, kind));
        Assert.False(failure.IsTransient);
        Assert.Contains(Name.Value, failure.Message, StringComparison.Ordinal);
    }
}
