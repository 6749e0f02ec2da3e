using Benji.Store.Blocks;
using Benji.Store.Blocks.Documents;
using Benji.Store.Blocks.Opening;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Blocks;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Blocks;

public class ManifestStoreTests
{
    private static readonly VersionName Name = new("vm/disk", "20261123T024501Z");

    private static VersionRecord Version => new()
    {
        Id = Guid.Parse("00112233445566778899aabbccddeeff"),
        Name = Name,
        Date = new DateTimeOffset(2026, 11, 23, 2, 45, 1, TimeSpan.Zero).AddMicroseconds(7),
        Snapshot = "b-2026 \"ü\" +/<",
        Size = (1L << 40) + 7,
        BlockSize = BlockGeometry.BlockSizeDefault,
        Storage = "main",
        Status = VersionStatus.Invalid,
        IsProtected = true,
        Labels = new(StringComparer.Ordinal) { ["a"] = "", ["b/c"] = "d=e" },
        Statistics = new VersionStatistics(1, 2, 3, 4, 5, 6.25),
        Root = new PageId(new Hash256([.. Enumerable.Range(1, 32).Select(i => (byte)i)])),
        AllocatedBytes = 12345,
        Revision = 3,
    };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AManifestReadsBackWhole(bool isEncrypted)
    {
        await using var bench = await StoreBench.OpenAsync(isEncrypted);
        var manifests = new ManifestStore(bench.Store);
        var stored = await manifests.PutAsync(Version, CancellationToken.None);

        var found = await manifests.FindAsync(Name, CancellationToken.None);

        AssertEqual(Version, found!);
        Assert.Equal(bench.Memory[ObjectNames.Manifest(Name)]!.Length, stored);
        Assert.Equal("versions/vm@disk/20261123T024501Z", ObjectNames.Manifest(Name).Value);
    }

    [Fact]
    public async Task AMissingManifestIsNullAndADeletedOneIsGone()
    {
        await using var bench = await StoreBench.OpenAsync();
        var manifests = new ManifestStore(bench.Store);
        Assert.Null(await manifests.FindAsync(Name, CancellationToken.None));
        await manifests.PutAsync(Version with { Statistics = null }, CancellationToken.None);
        await manifests.PutAsync(
            Version with { Name = new VersionName("x", "y"), Statistics = null }, CancellationToken.None);

        await manifests.DeleteAsync(Name, Version.Id, CancellationToken.None);
        await manifests.DeleteAsync(Name, Version.Id, CancellationToken.None);

        Assert.Null(await manifests.FindAsync(Name, CancellationToken.None));
        Assert.Equal(["x/y"], await ListAsync(manifests));
    }

    [Fact]
    public async Task AManifestUnderAnotherNameIsRefused()
    {
        await using var bench = await StoreBench.OpenAsync();
        var manifests = new ManifestStore(bench.Store);
        await manifests.PutAsync(Version, CancellationToken.None);
        var other = new VersionName("vm/disk", "other");
        var bytes = bench.Memory[ObjectNames.Manifest(Name)]!;
        await bench.Memory.PutAsync(ObjectNames.Manifest(other), bytes, CancellationToken.None);

        await Assert.ThrowsAsync<CorruptDataException>(() => manifests.FindAsync(other, CancellationToken.None));
    }

    [Fact]
    public async Task TheManifestOfOneVersionSealedForAnotherIsRefused()
    {
        await using var bench = await StoreBench.OpenAsync();
        var plaintext = ManifestFile.Format(Version);
        var plan = new SealPlan { Kind = ObjectKind.Manifest, Name = new Hash256(new byte[32]), Hashes = bench.Hash(plaintext) };
        using var bytes = bench.Store.Sealer.Seal(plan, plaintext, out _);
        await bench.Memory.PutAsync(ObjectNames.Manifest(Name), bytes.Memory, CancellationToken.None);

        var failure = await Assert.ThrowsAsync<CorruptDataException>(
            () => new ManifestStore(bench.Store).FindAsync(Name, CancellationToken.None));
        Assert.Contains("another version", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ANameIsTakenByTheManifestOfAnotherVersionAndNotByADamagedOne()
    {
        await using var bench = await StoreBench.OpenAsync();
        var manifests = new ManifestStore(bench.Store);
        var other = Version with { Id = Guid.NewGuid() };
        Assert.True(await manifests.TryAddAsync(other, CancellationToken.None));
        Assert.False(await manifests.TryAddAsync(Version, CancellationToken.None));
        await manifests.DeleteAsync(Name, Version.Id, CancellationToken.None);
        AssertEqual(other, (await manifests.FindAsync(Name, CancellationToken.None))!);

        await bench.Memory.PutAsync(ObjectNames.Manifest(Name), new byte[100], CancellationToken.None);
        Assert.True(await manifests.TryAddAsync(Version, CancellationToken.None));
        AssertEqual(Version, (await manifests.FindAsync(Name, CancellationToken.None))!);
        await bench.Memory.PutAsync(ObjectNames.Manifest(Name), new byte[100], CancellationToken.None);
        await manifests.DeleteAsync(Name, Version.Id, CancellationToken.None);
        Assert.Null(bench.Memory[ObjectNames.Manifest(Name)]);
    }

    /// <summary>Between the look at it and its deletion anybody may put another one.</summary>
    [Fact]
    public async Task TheManifestThatGoesIsTheOneThatWasLookedAt()
    {
        await using var bench = await StoreBench.OpenAsync();
        var manifests = new ManifestStore(bench.Store);
        var other = Version with { Id = Guid.NewGuid() };
        foreach (var (meanwhile, isLeft) in new[] { (other, true), (Version with { Revision = 4 }, false) })
        {
            await manifests.PutAsync(Version, CancellationToken.None);
            var replaced = await SealAsync(meanwhile);
            await DeleteWhileAsync(bench.Store, number => number == 1 ? replaced : null);
            Assert.Equal(isLeft ? replaced : null, bench.Memory[ObjectNames.Manifest(Name)]);
        }

        await bench.Memory.PutAsync(ObjectNames.Manifest(Name), new byte[3 * 1024 * 1024], CancellationToken.None);
        await manifests.DeleteAsync(Name, Version.Id, CancellationToken.None);
        Assert.Null(bench.Memory[ObjectNames.Manifest(Name)]);

        async Task<byte[]> SealAsync(VersionRecord version)
        {
            var before = bench.Memory[ObjectNames.Manifest(Name)]!;
            await manifests.PutAsync(version, CancellationToken.None);
            var bytes = bench.Memory[ObjectNames.Manifest(Name)]!;
            await bench.Memory.PutAsync(ObjectNames.Manifest(Name), before, CancellationToken.None);
            return bytes;
        }
    }

    [Fact]
    public async Task AManifestThatIsReplacedAgainAndAgainFailsItsDeletion()
    {
        await using var bench = await StoreBench.OpenAsync();
        var damaged = new byte[100];
        await bench.Memory.PutAsync(ObjectNames.Manifest(Name), damaged, CancellationToken.None);
        var most = 0;
        await Assert.ThrowsAsync<StorageException>(() => DeleteWhileAsync(bench.Store, number =>
        {
            most = number;
            damaged[number % damaged.Length]++;
            return [.. damaged];
        }));
        Assert.Equal(10, most);
    }

    // Deletes the manifest of the version while it is replaced before each deletion, the first one being number 1.
    private static async Task DeleteWhileAsync(OpenedStore store, Func<int, byte[]?> replace)
    {
        var deletions = 0;
        var hooked = await OpenedStore.OpenAsync(
            new StoreOpening
            {
                Name = "main",
                Storage = new FaultyStorage(store.Storage, call => call.Kind == StorageCallKind.Delete
                    && replace(++deletions) is { } bytes
                        ? new Fault { Gate = store.Storage.PutAsync(ObjectNames.Manifest(Name), bytes, CancellationToken.None) }
                        : null),
                Key = new KeyMaterial { MasterKey = new byte[32] },
                MayCreate = false,
                Pool = store.Pool,
                Time = TimeProvider.System,
            },
            CancellationToken.None);
        await new ManifestStore(hooked).DeleteAsync(Name, Version.Id, CancellationToken.None);
    }

    [Fact]
    public Task ADamagedManifestIsRefused() => Seeded.RunAsync(async random =>
    {
        await using var bench = await StoreBench.OpenAsync();
        var manifests = new ManifestStore(bench.Store);
        await manifests.PutAsync(Version, CancellationToken.None);
        var name = ObjectNames.Manifest(Name);
        var bytes = bench.Memory[name]!;
        for (var position = 0; position < bytes.Length; position++)
        {
            var twin = bytes.AsSpan().ToArray();
            twin[position] ^= (byte)random.Next(1, 256);
            bench.Memory.Damage(name, _ => random.Next(4) == 0 ? bytes[..position] : twin);
            await Assert.ThrowsAsync<CorruptDataException>(() => manifests.FindAsync(Name, CancellationToken.None));
        }

        bench.Memory.Damage(name, _ => new byte[3 * 1024 * 1024]);
        await Assert.ThrowsAsync<CorruptDataException>(() => manifests.FindAsync(Name, CancellationToken.None));
    });

    [Fact]
    public async Task ManyLabelsFitUpToTheLimit()
    {
        await using var bench = await StoreBench.OpenAsync();
        var manifests = new ManifestStore(bench.Store);
        var fits = new SortedList<string, string>(StringComparer.Ordinal) { ["long"] = new string('x', 1_000_000) };
        var tooMany = new SortedList<string, string>(StringComparer.Ordinal) { ["long"] = new string('x', 1_048_576) };

        await manifests.PutAsync(Version with { Labels = fits }, CancellationToken.None);

        Assert.Equal(fits, (await manifests.FindAsync(Name, CancellationToken.None))!.Labels);
        await Assert.ThrowsAsync<UsageException>(
            () => manifests.PutAsync(Version with { Labels = tooMany }, CancellationToken.None));
    }

    /// <summary>Whoever holds the key may write anything; the reader still answers with its own exceptions.</summary>
    [Fact]
    public void AnyPlaintextParsesOrIsRefused() => Seeded.Run(random =>
    {
        var bytes = ManifestFile.Format(Version);
        for (var round = 0; round < 4000; round++)
        {
            var twin = bytes.AsSpan(0, random.Next(5) == 0 ? random.Next(bytes.Length) : bytes.Length).ToArray();
            for (var change = random.Next(1, 4); change > 0 && twin.Length > 0; change--)
            {
                twin[random.Next(twin.Length)] = random.Next(2) == 0
                    ? (byte)random.Next(256) : (byte)"\\u{}[]\",:-0eE9"[random.Next(14)];
            }

            try
            {
                Assert.Equal(Name, ManifestFile.Parse(twin, Name, "main").Name);
            }
            catch (Exception failure) when (failure is CorruptDataException or ConfigurationException)
            {
                // Refused as it should be.
            }
        }
    });

    [Theory]
    [InlineData("\"block_size\":4194304", "\"block_size\":4194305")]
    [InlineData("\"size\":1099511627783", "\"size\":-1")]
    [InlineData("\"size\":1099511627783", "\"size\":9007199254740993")]
    [InlineData("\"allocated\":12345", "\"allocated\":1099511627784")]
    [InlineData("\"revision\":3", "\"revision\":0")]
    [InlineData("\"revision\":3", "\"revision\":3.5")]
    [InlineData("\"status\":\"invalid\"", "\"status\":\"odd\"")]
    [InlineData("\"a\":\"\"", "\"a\":1")]
    [InlineData("\"a\":\"\"", "\"b/c\":\"\"")]
    [InlineData("\"snapshot\":\"", "\"snapshot\":\"\\ud800")]
    public void WhatCannotBeIsRefused(string text, string replacement)
    {
        var plaintext = System.Text.Encoding.UTF8.GetString(ManifestFile.Format(Version));
        var twin = plaintext.Replace(text, replacement, StringComparison.Ordinal);

        Assert.NotEqual(plaintext, twin);
        Assert.Throws<CorruptDataException>(
            () => ManifestFile.Parse(System.Text.Encoding.UTF8.GetBytes(twin), Name, "main"));
    }

    [Fact]
    public void UnknownMembersArePassedOverAndANewerLayoutIsNot()
    {
        var plaintext = System.Text.Encoding.UTF8.GetString(ManifestFile.Format(Version));
        var more = plaintext.Replace("{\"manifest\":1,", "{\"manifest\":1,\"new\":[{}],", StringComparison.Ordinal);
        var newer = plaintext.Replace("{\"manifest\":1,", "{\"manifest\":2,", StringComparison.Ordinal);

        AssertEqual(Version, ManifestFile.Parse(System.Text.Encoding.UTF8.GetBytes(more), Name, "main"));
        Assert.Throws<ConfigurationException>(
            () => ManifestFile.Parse(System.Text.Encoding.UTF8.GetBytes(newer), Name, "main"));
    }

    private static void AssertEqual(VersionRecord expected, VersionRecord actual)
    {
        Assert.Equal(expected.Labels, actual.Labels);
        Assert.Equal(expected, actual with { Labels = expected.Labels });
    }

    private static async Task<List<string>> ListAsync(ManifestStore manifests)
    {
        var names = new List<string>();
        await foreach (var name in manifests.ListAsync(CancellationToken.None))
        {
            names.Add(name.ToString());
        }

        return names;
    }
}
