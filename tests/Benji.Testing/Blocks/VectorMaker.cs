using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Benji.Store.Blocks;
using Benji.Store.Blocks.Documents;
using Benji.Store.Blocks.Opening;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Transforms;
using Benji.Testing.Storages;

namespace Benji.Testing.Blocks;

/// <summary>Makes the golden store of one set of transforms from fixed keys, ids, dates and object keys.</summary>
/// <remarks>Content comes from SHA-256, so that any language can make it. The files under <c>tests/vectors</c> were made by
/// this and are never made again: a new format version gets directories of its own.</remarks>
internal sealed class VectorMaker
{
    /// <summary>Blocks of two frames: the least that a delta needs.</summary>
    public const int BlockSize = 2 * BlockGeometry.FrameSize;

    private const int LastLength = 1000;
    private const string PasswordText = "correct horse battery staple";

    private static readonly Guid StoreId = Guid.Parse("0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    private static readonly DateTimeOffset Date = new(2026, 11, 23, 2, 45, 1, TimeSpan.Zero);

    private readonly string _set;
    private int _objectKeys;

    private VectorMaker(string set) => _set = set;

    /// <summary>The sets, each a directory.</summary>
    public static IReadOnlyList<string> Sets { get; } = ["v1-plain", "v1-zstd", "v1-aes"];

    /// <summary>The name of the golden version.</summary>
    public static VersionName Name { get; } = new("vm/disk", "20261123T024501Z");

    /// <summary>The plaintext of the golden version: a block with a hole, one that borrows from it, a short one.</summary>
    public static byte[] Image { get; } = [.. First(), .. Second(), .. Noise("last", LastLength)];

    /// <summary>What a set is opened with.</summary>
    public static KeyMaterial? KeyOf(string set) =>
        set == "v1-aes" ? new KeyMaterial { Password = PasswordText } : null;

    /// <summary>Makes the files of a set by their paths.</summary>
    public static async Task<IReadOnlyDictionary<string, byte[]>> MakeAsync(string set)
    {
        var memory = new MemoryStorage();
        var expected = await new VectorMaker(set).MakeAsync(memory);
        var files = memory.Names.ToDictionary(name => name.Value, name => memory[name]!, StringComparer.Ordinal);
        files.Add("expected.json", expected);
        return files;
    }

    /// <summary>Opens a set whose files are in a storage.</summary>
    public static Task<OpenedStore> OpenAsync(string set, MemoryStorage storage, Func<ObjectKey>? newKey = null) =>
        OpenedStore.OpenAsync(
            new StoreOpening
            {
                Name = "main",
                Storage = storage,
                Key = KeyOf(set),
                ZstdLevel = set == "v1-plain" ? null : 1,
                MayUseNativeZstd = false,
                MayCreate = false,
                Pool = new BlockBufferPool(1024 * 1024),
                Time = TimeProvider.System,
                NewKey = newKey ?? ObjectKey.NewRandom,
            },
            CancellationToken.None);

    private static byte[] First() => [.. Text(BlockGeometry.FrameSize), .. new byte[BlockGeometry.FrameSize]];

    private static byte[] Second() => [.. Text(BlockGeometry.FrameSize), .. Noise("second", BlockGeometry.FrameSize)];

    private static byte[] Text(int length)
    {
        var text = new StringBuilder();
        for (var line = 0; text.Length < length; line++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"line {line} of a block that compresses well\n");
        }

        return Encoding.ASCII.GetBytes(text.ToString(0, length));
    }

    /// <summary>SHA-256 of "label 0", "label 1" and so on, one after another.</summary>
    private static byte[] Noise(string label, int length)
    {
        var bytes = new List<byte>();
        for (var part = 0; bytes.Count < length; part++)
        {
            bytes.AddRange(SHA256.HashData(Encoding.ASCII.GetBytes($"{label} {part}")));
        }

        return [.. bytes.Take(length)];
    }

    private static byte[] Ascending(byte first) => [.. Enumerable.Range(first, 32).Select(value => (byte)value)];

    private async Task<byte[]> MakeAsync(MemoryStorage memory)
    {
        var isEncrypted = KeyOf(_set) is not null;
        var kdf = new KdfParameters(Ascending(0x40), 1000);
        var file = new StoreFile(
            StoreId, isEncrypted, isEncrypted ? null : Ascending(0x20), isEncrypted ? kdf : null, Date);
        using (var keys = isEncrypted
            ? StoreKeys.Encrypted(PasswordKey.Derive(PasswordText, kdf.Salt, kdf.Iterations), StoreId)
            : StoreKeys.Plain(file.HashKey, StoreId))
        {
            await memory.PutAsync(ObjectNames.StoreFile, file.Format(keys), CancellationToken.None);
        }

        await using var store = await OpenAsync(_set, memory, NextKey);
        var first = await PutAsync(store, First(), [], [SealPlan.Own, SealPlan.Own]);
        var second = await PutAsync(store, Second(), [first], [0, SealPlan.Own]);
        var last = await PutAsync(store, Noise("last", LastLength), [], [SealPlan.Own]);
        var entries = new byte[BlockGeometry.PageSize];
        first.Hash.CopyTo(entries);
        second.Hash.CopyTo(entries.AsSpan(Hash256.Size));
        last.Hash.CopyTo(entries.AsSpan(2 * Hash256.Size));
        var root = store.Pages.ComputeId(0, entries);
        using (var page = store.Pages.Seal(root, 0, entries))
        {
            await memory.PutAsync(ObjectNames.Page(root), page.Memory, CancellationToken.None);
        }

        await new ManifestStore(store).PutAsync(Version(root), CancellationToken.None);
        return Describe(memory, root, entries, first, second, last);
    }

    private static VersionRecord Version(PageId root) => new()
    {
        Id = Guid.Parse("00112233445566778899aabbccddeeff"),
        Name = Name,
        Date = Date,
        Snapshot = "b-2026-11-23",
        Size = Image.Length,
        BlockSize = BlockSize,
        Storage = "main",
        IsProtected = true,
        Labels = new(StringComparer.Ordinal) { ["owner"] = "tests", ["tier"] = "" },
        Statistics = new VersionStatistics(Image.Length, Image.Length, 0, 0, 2048, 1.5),
        Root = root,
        AllocatedBytes = Image.Length - BlockGeometry.FrameSize,
        Revision = 2,
    };

    private static async Task<BlockId> PutAsync(
        OpenedStore store, byte[] plaintext, BlockId[] lenders, byte[] owners)
    {
        var hashes = new byte[owners.Length * Hash256.Size];
        store.Keys.Frames.HashFrames(plaintext, hashes);
        var id = BlockIds.Compute(store.Keys, plaintext.Length, hashes);
        var plan = new SealPlan
        {
            Kind = ObjectKind.Block,
            Name = id.Hash,
            Hashes = hashes,
            Owners = owners,
            Lenders = lenders,
        };
        using var bytes = store.Sealer.Seal(plan, plaintext, out _);
        var name = ObjectNames.Block(id, lenders.Length == 0 ? BlockForm.Whole : BlockForm.Delta);
        await store.Storage.PutAsync(name, bytes.Memory, CancellationToken.None);
        return id;
    }

    private static byte[] Describe(
        MemoryStorage memory, PageId root, byte[] entries, BlockId first, BlockId second, BlockId last)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteString("version", Name.ToString());
            writer.WriteString("image_sha256", Sha256(Image));
            writer.WriteStartObject("plaintext_sha256");
            writer.WriteString(ObjectNames.Block(first, BlockForm.Whole).Value, Sha256(First()));
            writer.WriteString(ObjectNames.Block(second, BlockForm.Delta).Value, Sha256(Second()));
            writer.WriteString(ObjectNames.Block(last, BlockForm.Whole).Value, Sha256(Noise("last", LastLength)));
            writer.WriteString(ObjectNames.Page(root).Value, Sha256(entries));
            writer.WriteString(ObjectNames.Manifest(Name).Value, Sha256(ManifestFile.Format(Version(root))));
            writer.WriteEndObject();
            writer.WriteStartObject("object_sha256");
            foreach (var name in memory.Names)
            {
                writer.WriteString(name.Value, Sha256(memory[name]!));
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        stream.Write("\n"u8);
        return stream.ToArray();
    }

    private static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private ObjectKey NextKey() => new(Noise($"object key {_objectKeys++}", ObjectKey.Size));
}
