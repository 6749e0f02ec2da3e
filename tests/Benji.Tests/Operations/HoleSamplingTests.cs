using System.Globalization;
using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>Hints without a base version: what they do not list becomes a hole, and a sample of it must be one.</summary>
public sealed class HoleSamplingTests : IAsyncLifetime
{
    private const int Block = BlockGeometry.BlockSizeMin;

    private readonly StoreFixture _store = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhatIsNotListedIsAHole(bool hasNewerVersion)
    {
        if (hasNewerVersion)
        {
            _store.Images.Set("disk", RandomNumberGenerator.GetBytes(8 * Block));
            await _store.BackupAsync("disk");
        }

        var content = new byte[200 * Block];
        RandomNumberGenerator.Fill(content.AsSpan(2 * Block, Block));
        RandomNumberGenerator.Fill(content.AsSpan(5 * Block, 100));
        _store.Images.Set("disk", content);

        var result = await BackupAsync((2 * Block, Block, true), (5 * Block, 100, true), (7 * Block, Block, false));

        Assert.Equal(content, await _store.RestoreAsync(result.Version.Name));
        Assert.Equal(2 * Block, result.Version.AllocatedBytes);
    }

    /// <summary>Up to 64 blocks are all read, so that one byte is found wherever it is.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData((2 * Block) - 1)]
    [InlineData((3 * Block) + 50)] // behind what is listed of its block
    [InlineData((3 * Block) + 9)] // before it
    [InlineData(5 * Block)] // called a hole
    [InlineData((63 * Block) + 7)] // the last byte, of a short block
    public async Task OneByteThatIsNotListedRefusesThem(int offset)
    {
        var content = new byte[(63 * Block) + 8];
        content[offset] = 1;
        _store.Images.Set("disk", content);

        var refusal = await Assert.ThrowsAsync<InputDataException>(
            () => BackupAsync(((3 * Block) + 10, 40, true), (5 * Block, Block, false)));

        Assert.Contains("without a base version", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(await (await _store.StoreAsync()).ListAsync(null));
        Assert.Empty(_store.Objects("blocks"));
    }

    /// <summary>Of many blocks the first are read, and random ones: among 400 that hold data some are, whatever is drawn.</summary>
    [Theory]
    [InlineData(0, 20)]
    [InlineData(40, 440)]
    public async Task HintsOfAnotherDiskAreRefused(int first, int end)
    {
        var content = new byte[441 * Block];
        for (var index = first; index < end; index++)
        {
            content[index * Block] = 1;
        }

        _store.Images.Set("disk", content);
        await Assert.ThrowsAsync<InputDataException>(() => BackupAsync((440 * Block, Block, true)));
    }

    [Fact]
    public async Task WhatIsListedWholeIsNotReadForIt()
    {
        var content = RandomNumberGenerator.GetBytes((70 * Block) + 5);
        _store.Images.Set("disk", content);

        var result = await BackupAsync((0, 10 * Block, true), (10 * Block, content.Length - (10 * Block), true));

        Assert.Equal(content, await _store.RestoreAsync(result.Version.Name));
        Assert.Equal(content.Length, result.Version.Statistics!.BytesRead);
    }

    private async Task<BackupResult> BackupAsync(params (long Offset, long Length, bool Exists)[] extents)
    {
        var path = _store[$"hints-{Guid.NewGuid():N}.json"];
        await File.WriteAllTextAsync(path, $"[{string.Join(',', extents.Select(Format))}]");
        return await _store.BackupAsync("disk", request => request with { HintsFile = path });
    }

    private static string Format((long Offset, long Length, bool Exists) extent) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"offset":{{extent.Offset}},"length":{{extent.Length}},"exists":"{{(extent.Exists ? "true" : "false")}}"}""");
}
