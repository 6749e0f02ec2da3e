using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Catalogs;

/// <summary>What every catalog's versions must do.</summary>
public abstract class VersionsContract : CatalogContract
{
    private static readonly DateTimeOffset Day = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task AVersionComesBackWithEveryField()
    {
        var version = new VersionRecordBuilder("vm/disk-1", "20261123T024501Z")
        {
            Date = new DateTimeOffset(639_000_000_123_456_789, TimeSpan.Zero),
            Size = BlockGeometry.SizeMax,
            Status = VersionStatus.Invalid,
        }.Build() with
        {
            Snapshot = "snap ü",
            BlockSize = BlockGeometry.BlockSizeMax,
            Storage = "s3-archive",
            IsProtected = true,
            Root = new PageId(HashOf(77)),
            AllocatedBytes = 123_456_789_012,
            Revision = 9,
            Statistics = new VersionStatistics(1, 2, 3, 4, long.MaxValue, 1.5),
        };
        version.Labels.Add("b", "");
        version.Labels.Add("a", "value with ü");

        await WriteAsync(catalog => catalog.Versions.Add(version));
        await ReopenAsync();

        AssertEqual(version, await ReadAsync(catalog => catalog.Versions.Find(version.Id)));
        AssertEqual(version, await ReadAsync(catalog => catalog.Versions.Find(version.Name)));
        AssertEqual(version, Assert.Single(await ReadAsync(catalog => catalog.Versions.List(null))));
    }

    [Fact]
    public async Task AVersionWithoutStatisticsComesBackWithoutThem()
    {
        var version = new VersionRecordBuilder("v", "1").Build();
        await WriteAsync(catalog => catalog.Versions.Add(version));

        AssertEqual(version, await ReadAsync(catalog => catalog.Versions.Find(version.Id)));
    }

    [Fact]
    public async Task WhatIsNotThereIsNull()
    {
        await WriteAsync(catalog => catalog.Versions.Add(new VersionRecordBuilder("v", "one").Build()));

        Assert.Null(await ReadAsync(catalog => catalog.Versions.Find(Guid.NewGuid())));
        Assert.Null(await ReadAsync(catalog => catalog.Versions.Find(new VersionName("v", "ONE"))));
        Assert.Null(await ReadAsync(catalog => catalog.Versions.Find(new VersionName("v/one", "one"))));
        Assert.Null(await ReadAsync(catalog => catalog.Versions.FindLatest("V", null)));
        Assert.Empty(await ReadAsync(catalog => catalog.Versions.List("v2")));
    }

    [Fact]
    public async Task ATakenNameIsRefusedUntilItIsFree()
    {
        var first = new VersionRecordBuilder("v", "one").Build();
        var second = new VersionRecordBuilder("v", "one") { Date = Day }.Build();
        await WriteAsync(catalog => catalog.Versions.Add(first));

        await Assert.ThrowsAsync<AlreadyExistsException>(() => WriteAsync(catalog => catalog.Versions.Add(second)));
        AssertEqual(first, await ReadAsync(catalog => catalog.Versions.Find(first.Name)));

        await WriteAsync(catalog => Assert.True(catalog.Versions.Remove(first.Id)));
        await WriteAsync(catalog => catalog.Versions.Add(second));
        AssertEqual(second, await ReadAsync(catalog => catalog.Versions.Find(first.Name)));
        Assert.Null(await ReadAsync(catalog => catalog.Versions.Find(first.Id)));
    }

    [Fact]
    public async Task RemovingTwiceIsNoError()
    {
        var version = new VersionRecordBuilder("v", "one").Build();
        await WriteAsync(catalog => catalog.Versions.Add(version));

        Assert.True(await WriteAsync(catalog => catalog.Versions.Remove(version.Id)));
        Assert.False(await WriteAsync(catalog => catalog.Versions.Remove(version.Id)));
        Assert.Empty(await ReadAsync(catalog => catalog.Versions.List(null)));
    }

    [Fact]
    public async Task ReplaceChangesOnlyThatVersion()
    {
        var changed = new VersionRecordBuilder("v", "one") { Date = Day }.Build();
        var other = new VersionRecordBuilder("v", "two") { Date = Day.AddDays(1) }.Build();
        await WriteAsync(catalog =>
        {
            catalog.Versions.Add(changed);
            catalog.Versions.Add(other);
        });

        var next = changed with { IsProtected = true, Revision = 2, Labels = new(changed.Labels) { ["k"] = "v" } };
        await WriteAsync(catalog => catalog.Versions.Replace(next));

        AssertEqual(next, await ReadAsync(catalog => catalog.Versions.Find(changed.Name)));
        AssertEqual(other, await ReadAsync(catalog => catalog.Versions.Find(other.Name)));
    }

    [Fact]
    public async Task ReplacingWhatIsGoneThrows()
    {
        var version = new VersionRecordBuilder("v", "one").Build();

        await Assert.ThrowsAsync<NotFoundException>(() => WriteAsync(catalog => catalog.Versions.Replace(version)));
    }

    [Fact]
    public async Task ListsAreInTheOrderOfVolumeThenDate()
    {
        string[] volumes = ["a", "a-b", "a/b", "A", "b", "a.b", "aa"];
        var added = volumes
            .SelectMany(volume => Enumerable.Range(0, 5).Select(day => new VersionRecordBuilder(volume, $"n{9 - day}")
            {
                Date = Day.AddDays(day),
            }.Build()))
            .ToArray();
        new Random(7).Shuffle(added);
        await WriteAsync(catalog => Array.ForEach(added, catalog.Versions.Add));

        var all = await ReadAsync(catalog => catalog.Versions.List(null));
        var expected = added
            .OrderBy(version => version.Name.Volume, StringComparer.Ordinal)
            .ThenBy(version => version.Date)
            .Select(version => version.Id);
        Assert.Equal(expected, all.Select(version => version.Id));

        foreach (var volume in volumes)
        {
            var own = await ReadAsync(catalog => catalog.Versions.List(volume));
            Assert.Equal(all.Where(version => version.Name.Volume == volume), own, (left, right) => left.Id == right.Id);
        }
    }

    [Fact]
    public async Task LatestIsTheNewestByDateOfTheStatusAskedFor()
    {
        var versions = Enumerable.Range(0, 40)
            .Select(day => new VersionRecordBuilder("v", $"n{99 - day}")
            {
                Date = Day.AddDays(day),
                Status = day < 3 ? VersionStatus.Valid : VersionStatus.Invalid,
            }.Build())
            .ToArray();
        await WriteAsync(catalog =>
        {
            Array.ForEach(versions, catalog.Versions.Add);
            catalog.Versions.Add(new VersionRecordBuilder("v2", "other") { Date = Day.AddYears(1) }.Build());
        });

        Assert.Equal(versions[39].Id, (await ReadAsync(catalog => catalog.Versions.FindLatest("v", null)))!.Id);
        Assert.Equal(versions[2].Id, (await LatestAsync(VersionStatus.Valid))!.Id);
        Assert.Equal(versions[39].Id, (await LatestAsync(VersionStatus.Invalid))!.Id);

        await WriteAsync(catalog => catalog.Versions.Remove(versions[2].Id));
        await WriteAsync(catalog => catalog.Versions.Remove(versions[1].Id));
        await WriteAsync(catalog => catalog.Versions.Remove(versions[0].Id));
        Assert.Null(await LatestAsync(VersionStatus.Valid));
    }

    [Fact]
    public async Task NamesAndLabelsMayBeAsLongAsTheRulesAllow()
    {
        var volume = string.Join('/', new string('v', 99), new string('w', 100));
        var version = new VersionRecordBuilder(volume, new string('n', 100)).Build();
        version.Labels.Add(new string('l', 1000), new string('x', 20_000));
        await WriteAsync(catalog => catalog.Versions.Add(version));

        AssertEqual(version, await ReadAsync(catalog => catalog.Versions.Find(version.Name)));
        AssertEqual(version, Assert.Single(await ReadAsync(catalog => catalog.Versions.List(volume))));
    }

    private Task<VersionRecord?> LatestAsync(VersionStatus status) =>
        ReadAsync(catalog => catalog.Versions.FindLatest("v", status));

    private static void AssertEqual(VersionRecord expected, VersionRecord? found)
    {
        Assert.NotNull(found);
        Assert.Equal(expected.Labels, found.Labels);
        Assert.Equal(expected, found with { Labels = expected.Labels });
    }
}
