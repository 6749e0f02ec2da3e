using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Benji.Tests.Operations.Age;
using Xunit;

namespace Benji.Tests.Operations;

public sealed class VersionNamesTests
{
    [Fact]
    public async Task TheDefaultNameIsTheDate()
    {
        await using var store = await NewAsync();
        var result = await store.BackupAsync("vm/disk");
        Assert.Equal("vm/disk/21000101T000000Z", result.Version.Name.ToString());
        Assert.Equal(store.Clock.GetUtcNow(), result.Version.Date);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-3600)]
    public async Task AClockThatStandsOrStepsBackNeitherCollidesNorReorders(int seconds)
    {
        await using var store = await NewAsync();
        var first = await store.BackupAsync("vm/disk");
        store.Clock.Advance(TimeSpan.FromSeconds(seconds));
        var second = await store.BackupAsync("vm/disk");
        Assert.Equal("vm/disk/21000101T000001Z", second.Version.Name.ToString());
        Assert.Equal(first.Version.Date.AddSeconds(1), second.Version.Date);
        Assert.Equal(second.Version.Name, (await ProtectAsync(store, "vm/disk/latest")).Name);
    }

    [Theory]
    [InlineData(-59, 0)]
    [InlineData(-61, 1)]
    [InlineData(-3650 * 24 * 3600L, 1)]
    public async Task ADateThatIsBentByMoreThanAMinuteIsWarnedOf(long seconds, int warnings)
    {
        await using var store = await NewAsync();
        using var log = new WarningLog();
        await store.BackupAsync("vm/disk");
        await store.CloseAsync();
        store.Clock.Advance(TimeSpan.FromSeconds(seconds));
        await using var again = await Benji.Store.BenjiStore.OpenAsync(
            store.Options, Benji.Store.StoreUse.Change, log, store.Clock, CancellationToken.None);
        await again.BackupAsync(new BackupRequest { Source = "vm/disk", Volume = "vm/disk" }, NoProgress.Instance);
        await again.BackupAsync(new BackupRequest { Source = "vm/disk", Volume = "other" }, NoProgress.Instance);
        Assert.Equal(warnings, log.Warnings.Count);
    }

    [Fact]
    public async Task ATakenNameIsRefused()
    {
        await using var store = await NewAsync();
        await store.BackupAsync("vm/disk", request => request with { Version = "gold" });
        await Assert.ThrowsAsync<AlreadyExistsException>(
            () => store.BackupAsync("vm/disk", request => request with { Version = "gold" }));
    }

    [Theory]
    [InlineData("..", null)]
    [InlineData("a//b", null)]
    [InlineData("a@b", null)]
    [InlineData("/a", null)]
    [InlineData("a/", null)]
    [InlineData("", null)]
    [InlineData("a\nb", null)]
    [InlineData("a b", null)]
    [InlineData("disk.img", null)]
    [InlineData("-a", null)]
    [InlineData("disk", "latest")]
    [InlineData("disk", "x.img")]
    [InlineData("disk", "a/b")]
    [InlineData("disk", "")]
    public async Task BadNamesAreRefused(string volume, string? version)
    {
        await using var store = await NewAsync();
        await Assert.ThrowsAsync<UsageException>(
            () => store.BackupAsync("vm/disk", request => request with { Volume = volume, Version = version }));
    }

    [Fact]
    public async Task LongNamesAreRefused()
    {
        await using var store = await NewAsync();
        var longest = string.Join('/', new string('a', 99), new string('b', 100));
        Assert.Equal(
            longest,
            (await store.BackupAsync("vm/disk", request => request with { Volume = longest })).Version.Name.Volume);
        await Assert.ThrowsAsync<UsageException>(
            () => store.BackupAsync("vm/disk", request => request with { Volume = longest + "c" }));
    }

    [Fact]
    public async Task AnExactNameBeatsAPrefix()
    {
        await using var store = await NewAsync();
        await store.BackupAsync("vm/disk", request => request with { Version = "a1" });
        await store.BackupAsync("vm/disk", request => request with { Version = "a" });
        Assert.Equal("a", (await ProtectAsync(store, "vm/disk/a")).Name.Version);
        Assert.Equal("a", (await ProtectAsync(store, "a")).Name.Version);
        Assert.Equal("a1", (await ProtectAsync(store, "a1")).Name.Version);
        Assert.Equal("a1", (await ProtectAsync(store, "vm/disk/a1")).Name.Version);
    }

    [Fact]
    public async Task AnAmbiguousPrefixIsRefusedWithTheCandidates()
    {
        await using var store = await NewAsync();
        await store.BackupAsync("vm/disk", request => request with { Version = "mon" });
        await store.BackupAsync("vm/disk", request => request with { Version = "mos" });
        var refusal = await Assert.ThrowsAsync<UsageException>(() => ProtectAsync(store, "vm/disk/mo"));
        Assert.Contains("vm/disk/mon, vm/disk/mos", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("mos", (await ProtectAsync(store, "vm/disk/mos")).Name.Version);
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("vm/disk/nothing")]
    [InlineData("other/latest")]
    [InlineData("")]
    [InlineData("../..")]
    public async Task AnUnknownNameIsNotFound(string name)
    {
        await using var store = await NewAsync();
        await store.BackupAsync("vm/disk");
        await Assert.ThrowsAsync<NotFoundException>(() => ProtectAsync(store, name));
    }

    private static async Task<VersionRecord> ProtectAsync(StoreFixture store, string name) =>
        await (await store.StoreAsync()).ProtectAsync(name, isProtected: true);

    private static Task<StoreFixture> NewAsync()
    {
        var store = new StoreFixture();
        store.Images.Set("vm/disk", [1, 2, 3]);
        return Task.FromResult(store);
    }
}
