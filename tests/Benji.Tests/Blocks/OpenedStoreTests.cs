using System.Text;
using Benji.Store.Blocks;
using Benji.Store.Blocks.Opening;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Testing;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Blocks;

public class OpenedStoreTests
{
    private static readonly KeyMaterial Master = new() { MasterKey = [.. Enumerable.Repeat((byte)5, 32)] };
    private static readonly KeyMaterial Password = new() { Password = "correct horse", Iterations = 1000 };

    private MemoryStorage Storage { get; } = new();

    [Theory]
    [InlineData(null)]
    [InlineData("master")]
    [InlineData("password")]
    public async Task ANewStoreOpensAgainWithItsKeyOnly(string? which)
    {
        var key = which switch { null => null, "master" => Master, _ => Password };
        await using var made = await OpenAsync(key);
        var bytes = Storage[ObjectNames.StoreFile];
        await using var again = await OpenAsync(key, mayCreate: false);

        Assert.Equal(made.StoreId, again.StoreId);
        Assert.Equal(key is not null, again.IsEncrypted);
        foreach (var wrong in new[]
            {
                null, Master, Password, new() { MasterKey = new byte[32] }, new() { Password = "wrong horse" },
                Password with { Iterations = 1001 }, Password with { Salt = new byte[16] },
            }.Where(wrong => !ReferenceEquals(wrong, key)))
        {
            await Assert.ThrowsAsync<ConfigurationException>(() => OpenAsync(wrong));
        }

        Assert.Equal(bytes, Storage[ObjectNames.StoreFile]);
        Assert.Equal([ObjectNames.StoreFile], Storage.Names);
    }

    [Fact]
    public async Task TheFileIsAsTheFormatSays()
    {
        var clock = new ManualClock();
        await using var store = await OpenAsync(Password, time: clock);

        var text = Encoding.UTF8.GetString(Storage[ObjectNames.StoreFile]!);

        Assert.StartsWith(
            $"{{\"format\":\"benji-store\",\"version\":1,\"id\":\"{store.StoreId:N}\",\"encrypted\":true,"
            + "\"frame_size\":65536,\"kdf\":{\"salt\":\"", text, StringComparison.Ordinal);
        Assert.Matches(
            "\",\"iterations\":1000},\"created\":\"2026-01-01T00:00:00.000000Z\",\"check\":\"[0-9a-f]{64}\"}\n$", text);
    }

    [Fact]
    public async Task NothingIsMadeWhereItMayNotBe()
    {
        await Assert.ThrowsAsync<ConfigurationException>(() => OpenAsync(null, mayCreate: false));
        await Assert.ThrowsAsync<StorageException>(() => OpenAsync(null, expected: Guid.NewGuid()));
        await Assert.ThrowsAsync<ConfigurationException>(() => OpenAsync(Master with { Password = "and this" }));
        await Assert.ThrowsAsync<ConfigurationException>(() => OpenAsync(new KeyMaterial()));
        await Assert.ThrowsAsync<ConfigurationException>(() => OpenAsync(new KeyMaterial { Password = "short" }));
        await Assert.ThrowsAsync<ConfigurationException>(() => OpenAsync(new KeyMaterial { MasterKey = new byte[31] }));
        Assert.Empty(Storage.Names);

        var block = new ObjectName("blocks/ab/cd/abcd");
        await Storage.PutAsync(block, new byte[10], CancellationToken.None);
        await Assert.ThrowsAsync<ConfigurationException>(() => OpenAsync(null));
        Assert.Equal([block], Storage.Names);
    }

    [Fact]
    public async Task AnotherStoresPlaceIsRefused()
    {
        await using var store = await OpenAsync(null);

        var failure = await Assert.ThrowsAsync<ConfigurationException>(() => OpenAsync(null, expected: Guid.NewGuid()));
        Assert.Contains(store.StoreId.ToString("N"), failure.Message, StringComparison.Ordinal);
        await using var expected = await OpenAsync(null, expected: store.StoreId);
    }

    [Fact]
    public async Task ANewerFormatIsRefused()
    {
        await using var store = await OpenAsync(null);
        Storage.Damage(ObjectNames.StoreFile, bytes => Encoding.UTF8.GetBytes(
            Encoding.UTF8.GetString(bytes).Replace("\"version\":1", "\"version\":2", StringComparison.Ordinal)));

        var failure = await Assert.ThrowsAsync<ConfigurationException>(() => OpenAsync(null));
        Assert.Contains("version 2", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10000001")]
    [InlineData("100000000")]
    [InlineData("9000000000000000000")]
    public async Task MoreIterationsThanTheLimitAreRefusedBeforeTheyAreDone(string iterations)
    {
        await using var store = await OpenAsync(Password);
        Storage.Damage(ObjectNames.StoreFile, bytes => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes).Replace(
            "\"iterations\":1000", $"\"iterations\":{iterations}", StringComparison.Ordinal)));

        var failure = await Assert.ThrowsAsync<ConfigurationException>(
            () => OpenAsync(new KeyMaterial { Password = Password.Password }));
        Assert.Contains($"{iterations} iterations", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NoByteOfTheFileCanChange(bool isEncrypted)
    {
        var key = isEncrypted ? Master : null;
        await using var store = await OpenAsync(key);
        var bytes = Storage[ObjectNames.StoreFile]!;
        await Seeded.RunAsync(async random =>
        {
            for (var position = 0; position < bytes.Length; position++)
            {
                Storage.Damage(ObjectNames.StoreFile, _ => Flip(bytes, position, (byte)random.Next(1, 256)));
                await AssertRefusedAsync(key);
            }

            for (var round = 0; round < 50; round++)
            {
                Storage.Damage(ObjectNames.StoreFile, _ => bytes[..random.Next(bytes.Length)]);
                await AssertRefusedAsync(key);
            }
        });
    }

    [Fact]
    public async Task OfTwoThatMakeAStoreAtOnceOneWins()
    {
        var opened = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => OpenAsync(null)));

        Assert.Single(opened.Select(store => store.StoreId).Distinct());
        foreach (var store in opened)
        {
            await store.DisposeAsync();
        }
    }

    private static byte[] Flip(byte[] bytes, int position, byte mask)
    {
        var twin = bytes.AsSpan().ToArray();
        twin[position] ^= mask;
        return twin;
    }

    private async Task AssertRefusedAsync(KeyMaterial? key)
    {
        try
        {
            await using var store = await OpenAsync(key, mayCreate: false);
        }
        catch (Exception failure) when (failure is CorruptDataException or ConfigurationException)
        {
            return;
        }

        Assert.Fail("A damaged store.json opened.");
    }

    private Task<OpenedStore> OpenAsync(
        KeyMaterial? key, bool mayCreate = true, Guid? expected = null, TimeProvider? time = null) =>
        OpenedStore.OpenAsync(
            new StoreOpening
            {
                Name = "main",
                Storage = Storage,
                Key = key,
                MayCreate = mayCreate,
                ExpectedId = expected,
                Pool = new BlockBufferPool(1024 * 1024),
                Time = time ?? TimeProvider.System,
            },
            CancellationToken.None);
}
