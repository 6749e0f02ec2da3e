using Benji.Store.Model;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>A listing never answers with silence what does not exist.</summary>
public sealed class ListingTests
{
    [Theory]
    [InlineData("vm/web", "vm/web/one", "vm/web/two")]
    [InlineData("vm/web/one", "vm/web/one")]
    [InlineData("vm/web/latest", "vm/web/two")]
    [InlineData("vm/web/t", "vm/web/two")]
    [InlineData("one", "vm/mail/one", "vm/web/one")]
    public async Task AVolumeAVersionOrABeginningListsWhatItFits(string text, params string[] names)
    {
        await using var store = await NewAsync();
        var listed = await (await store.StoreAsync()).ListAsync(text);
        Assert.Equal(names, listed.Select(version => version.Name.ToString()).Order());
    }

    [Theory]
    [InlineData("vm/wbe", "vm/web")]
    [InlineData("vm/wbe/latest", "vm/web")]
    [InlineData("vm/wbe/one", "vm/web")]
    [InlineData("vm/web/onne", "vm/web/one")]
    [InlineData("vm/*", null)]
    [InlineData("elsewhere", null)]
    [InlineData("", null)]
    public async Task WhatDoesNotExistIsSaidWithTheNearestName(string text, string? nearest)
    {
        await using var store = await NewAsync();
        var refused = await Assert.ThrowsAsync<NotFoundException>(async () => await (await store.StoreAsync()).ListAsync(text));
        Assert.Contains(nearest is null ? "'benji ls'" : $"Did you mean '{nearest}'?", refused.Message, StringComparison.Ordinal);
        Assert.Equal(nearest is not null, refused.Message.Contains("Did you mean", StringComparison.Ordinal));

        // What names one version says the same.
        var single = await Assert.ThrowsAsync<NotFoundException>(
            async () => await (await store.StoreAsync()).ProtectAsync(text, isProtected: true));
        Assert.Equal(refused.Message, single.Message);
    }

    [Theory]
    [InlineData("volume == \"vm/web\"")]
    [InlineData("date<'2026-01-01'")]
    [InlineData("labels[\"keep\"]")]
    [InlineData("(protected)")]
    [InlineData("not protected")]
    public async Task AFilterIsNoName(string filter)
    {
        await using var store = await NewAsync();
        var refused = await Assert.ThrowsAsync<UsageException>(async () => await (await store.StoreAsync()).ListAsync(filter));
        Assert.Contains("Filters are not there yet", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnEmptyCatalogListsNothing()
    {
        await using var store = await NewAsync();
        foreach (var version in await (await store.StoreAsync()).ListAsync(null))
        {
            await (await store.StoreAsync()).RemoveAsync(new() { Versions = [version.Name.ToString()], Force = true });
        }

        Assert.Empty(await (await store.StoreAsync()).ListAsync(null));
        await Assert.ThrowsAsync<NotFoundException>(async () => await (await store.StoreAsync()).ListAsync("vm/web"));
    }

    private static async Task<StoreFixture> NewAsync()
    {
        var store = new StoreFixture();
        store.Images.Set("disk", new byte[1000]);
        foreach (var (volume, version) in new[] { ("vm/mail", "one"), ("vm/web", "one"), ("vm/web", "two") })
        {
            await store.BackupAsync("disk", request => request with { Volume = volume, Version = version });
            store.Clock.Advance(TimeSpan.FromHours(1));
        }

        return store;
    }
}
