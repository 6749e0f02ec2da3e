using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Testing;
using Benji.Testing.Blocks;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Blocks.Vectors;

/// <summary>The stores that were made when a format version was released open forever.</summary>
public class GoldenVectorTests
{
    private const int TwinStep = 37;

    public static TheoryData<string> Sets => [.. VectorMaker.Sets];

    [Theory]
    [MemberData(nameof(Sets))]
    public async Task AGoldenVersionReadsBackWhole(string set)
    {
        await using var store = await VectorMaker.OpenAsync(set, await LoadAsync(set));

        var image = await ReadImageAsync(store);

        Assert.Equal(VectorMaker.Image, image);
        Assert.Equal(Expected(set).GetProperty("image_sha256").GetString(), Sha256(image));
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public async Task EveryObjectOpensToItsPlaintext(string set)
    {
        var storage = await LoadAsync(set);
        await using var store = await VectorMaker.OpenAsync(set, storage);
        foreach (var (name, hash) in Texts(Expected(set).GetProperty("plaintext_sha256")))
        {
            Assert.Equal(hash, Sha256(await OpenAsync(store, storage, new ObjectName(name))));
        }

        foreach (var (name, hash) in Texts(Expected(set).GetProperty("object_sha256")))
        {
            Assert.Equal(hash, Sha256(storage[new ObjectName(name)]!));
        }
    }

    /// <summary>The writer of today makes the same bytes. What zstd makes is not part of the format: when a new ZstdSharp
    /// compresses otherwise, compare the sets with compression by opening only, and leave the files as they are.</summary>
    [Theory]
    [MemberData(nameof(Sets))]
    public async Task ItIsMadeAgainByteForByte(string set)
    {
        var made = await VectorMaker.MakeAsync(set);

        Assert.Equal(Files(set), made.Keys.Order(StringComparer.Ordinal));
        foreach (var (path, bytes) in made)
        {
            var golden = await File.ReadAllBytesAsync(PathOf(set, path));
            Assert.True(golden.AsSpan().SequenceEqual(bytes), $"{set}/{path} differs.");
        }
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public async Task DamagedTwinsAreRefused(string set)
    {
        var golden = await LoadAsync(set);
        await using var store = await VectorMaker.OpenAsync(set, golden);
        foreach (var name in golden.Names.Where(name => name != ObjectNames.StoreFile))
        {
            var bytes = golden[name]!;

            // Every byte of the header of these sizes, then one in so many.
            for (var position = 0; position < bytes.Length; position += position < 400 ? 1 : TwinStep * 13)
            {
                var twin = bytes.AsSpan().ToArray();
                twin[position] ^= 0x40;
                await AssertRefusedAsync(store, golden, name, twin);
                await AssertRefusedAsync(store, golden, name, bytes[..position]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public async Task AMissingLenderDamagesTheBorrowedFrame(string set)
    {
        var storage = await LoadAsync(set);
        await using var store = await VectorMaker.OpenAsync(set, storage);
        var delta = storage.Names.Single(name => name.Value.EndsWith(".d", StringComparison.Ordinal));
        Assert.True(ObjectNames.TryParseBlock(delta, out var id, out _));
        using var reads = new BlockStore(store);
        var table = await reads.ReadTableAsync(id, VectorMaker.BlockSize, CancellationToken.None);
        await storage.DeleteAsync(
            [ObjectNames.Block(Assert.Single(table.Lenders), BlockForm.Whole)], CancellationToken.None);

        var bytes = new byte[VectorMaker.BlockSize];
        var damages = (await reads.ReadBlockAsync(id, bytes.Length, bytes, CancellationToken.None)).Damages;

        Assert.Equal(0, Assert.Single(damages).FrameIndex);
    }

    private static async Task AssertRefusedAsync(
        OpenedStore store, MemoryStorage storage, ObjectName name, byte[] twin)
    {
        var bytes = storage[name]!;
        var plaintext = Sha256(await OpenAsync(store, storage, name));
        storage.Damage(name, _ => twin);
        if (store.IsEncrypted || twin.Length < bytes.Length || Position(bytes, twin) < HeaderLength(bytes))
        {
            await Assert.ThrowsAsync<CorruptDataException>(() => OpenAsync(store, storage, name));
        }
        else
        {
            // A zstd frame has bits that no decoder looks at: without a tag over them, the plaintext's hash is what counts.
            var opened = await Record.ExceptionAsync(
                async () => Assert.Equal(plaintext, Sha256(await OpenAsync(store, storage, name))));
            Assert.True(opened is null or CorruptDataException, opened?.Message);
        }

        storage.Damage(name, _ => bytes);
    }

    private static int Position(byte[] bytes, byte[] twin) => bytes.AsSpan().CommonPrefixLength(twin);

    private static int HeaderLength(byte[] bytes) =>
        BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(SealedHeader.HeaderLengthOffset));

    /// <summary>Opens any object by what its name says of it.</summary>
    private static async Task<byte[]> OpenAsync(OpenedStore store, MemoryStorage storage, ObjectName name)
    {
        if (ObjectNames.TryParsePage(name, out var page))
        {
            return store.Pages.Open(page, 0, storage[name]);
        }

        if (ObjectNames.TryParseManifest(name, out var version))
        {
            Assert.NotNull(await new ManifestStore(store).FindAsync(version, CancellationToken.None));
            return store.Opener.OpenWhole(
                new ExpectedObject(name, ObjectKind.Manifest, null, null), storage[name], out _);
        }

        Assert.True(ObjectNames.TryParseBlock(name, out var id, out var form));
        using var reads = new BlockStore(store);
        var length = (await reads.ReadTableAsync(id, form, CancellationToken.None)).BlockLength;
        var plaintext = new byte[length];
        await reads.ReadFramesAsync(id, length, 0, plaintext, CancellationToken.None);
        return plaintext;
    }

    private static async Task<byte[]> ReadImageAsync(OpenedStore store)
    {
        var version = (await new ManifestStore(store).FindAsync(VectorMaker.Name, CancellationToken.None))!;
        var buffer = await ObjectReader.FindAsync(
            store.Storage, ObjectNames.Page(version.Root), SealedPages.ObjectLengthMax, store.Pool, CancellationToken.None);
        using var bytes = buffer!;
        var entries = store.Pages.Open(version.Root, version.Geometry.Levels - 1, bytes.Span);
        using var reads = new BlockStore(store);
        var image = new byte[version.Size];
        for (var block = 0; block < version.Geometry.BlockCount; block++)
        {
            var id = new BlockId(new Hash256(entries.AsSpan(block * Hash256.Size)));
            var length = version.Geometry.BlockLength(block);
            Assert.Same(BlockReading.Sound, await reads.ReadBlockAsync(
                id, length, image.AsMemory(block * version.BlockSize, length), CancellationToken.None));
        }

        return image;
    }

    private static async Task<MemoryStorage> LoadAsync(string set)
    {
        var storage = new MemoryStorage();
        foreach (var path in Files(set).Where(path => path != "expected.json"))
        {
            var bytes = await File.ReadAllBytesAsync(PathOf(set, path));
            await storage.PutAsync(new ObjectName(path), bytes, CancellationToken.None);
        }

        return storage;
    }

    private static List<string> Files(string set) =>
    [
        .. Directory.EnumerateFiles(PathOf(set, ""), "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(PathOf(set, ""), file))
            .Order(StringComparer.Ordinal),
    ];

    private static string PathOf(string set, string path) => Repository.PathOf(Path.Combine("tests/vectors", set, path));

    private static JsonElement Expected(string set)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(PathOf(set, "expected.json")));
        return document.RootElement.Clone();
    }

    private static IEnumerable<(string Name, string Value)> Texts(JsonElement element) =>
        element.EnumerateObject().Select(member => (member.Name, member.Value.GetString()!));

    private static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
