using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Testing;
using Benji.Testing.Blocks;
using Benji.Testing.Catalogs;
using Xunit;

namespace Benji.Tests.Operations;

public sealed class RebuildOperationTests : IAsyncLifetime
{
    private readonly Random _random = new(20);
    private RebuildWorld _world = null!;

    public async Task InitializeAsync() => _world = await RebuildWorld.OpenAsync();

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public Task TheNewCatalogEqualsTheLostOne() => Seeded.RunAsync(async random =>
    {
        var versions = new List<VersionRecord>();
        var contents = new Dictionary<string, byte[]>
        {
            ["a"] = Plaintext.Mixed(random, (9 * RebuildWorld.BlockSize) + 1000),
            ["vm/disk"] = Plaintext.Noise(random, 5 * RebuildWorld.BlockSize),
        };
        for (var i = 0; i < 12; i++)
        {
            var volume = random.Next(2) == 0 ? "a" : "vm/disk";
            contents[volume] = Change(random, contents[volume]);
            versions.Add(await _world.BackUpAsync(volume, contents[volume], version => Dress(random, version)));
        }

        await _world.BackUpAsync("empty", []);
        await _world.BackUpAsync("zeros", new byte[3 * RebuildWorld.BlockSize]);
        for (var i = 0; i < 4; i++)
        {
            await _world.RemoveAsync(versions[(i * 3) + random.Next(3)]);
        }

        await _world.CleanUpAsync();
        Assert.Contains(_world.State.Blocks.Values, row => row.Form == BlockForm.Delta);

        var (result, state) = await _world.RebuildAsync();

        Assert.Empty(result.Problems);
        Assert.Equal((10, _world.State.Blocks.Count), (result.Versions, result.Blocks));
        AssertEqual(_world.State, state);
    });

    [Fact]
    public async Task WhatNoVersionNeedsGetsNoRow()
    {
        var first = await _world.BackUpAsync("a", Plaintext.Noise(_random, RebuildWorld.BlockSize));
        await _world.BackUpAsync("a", Plaintext.Noise(_random, RebuildWorld.BlockSize));
        await _world.RemoveAsync(first);

        var (_, state) = await _world.RebuildAsync();

        Assert.Single(state.Blocks);
        Assert.Equal(2, _world.State.Blocks.Count);
    }

    [Fact]
    public async Task TheOldCatalogsKnowledgeOfDamageAndOverlaysIsKept()
    {
        var version = await _world.BackUpAsync("a", Plaintext.Noise(_random, 2 * RebuildWorld.BlockSize));
        var overlay = new OverlayRecord(Guid.NewGuid(), "test", version.Id, version.Name, version.Date);
        var stray = overlay with { Id = Guid.NewGuid(), BaseId = Guid.NewGuid() };
        var damaged = _world.State.Blocks.Keys.First();
        await _world.WriteAsync(transaction =>
        {
            transaction.Overlays.Add(overlay);
            transaction.Overlays.Add(stray);
            transaction.BlockReferences.SetInvalid([damaged], isInvalid: true);
        });

        var (result, state) = await _world.RebuildAsync(isOldReadable: true);

        Assert.Equal(1, result.Overlays);
        Assert.Equal(overlay, Assert.Single(state.Overlays.Values));
        Assert.Contains("a/v0@test is left out", Assert.Single(result.Problems), StringComparison.Ordinal);
        Assert.Equal([damaged], state.Blocks.Values.Where(row => row.IsInvalid).Select(row => row.Id));
        Assert.Equal(VersionStatus.Invalid, Assert.Single(state.Versions.Values).Status);
    }

    [Fact]
    public async Task TheBlocksOfAnInvalidVersionAreVerified()
    {
        var version = await _world.BackUpAsync("a", Plaintext.Noise(_random, 2 * RebuildWorld.BlockSize));
        var sound = await _world.BackUpAsync("b", Plaintext.Noise(_random, RebuildWorld.BlockSize));
        await _world.ReplaceManifestAsync(version with { Status = VersionStatus.Invalid, Revision = 2 });
        var damaged = _world.State.Blocks.Values.First(row => row.Since < sound.Date).Id;
        Flip(ObjectNames.Block(damaged, BlockForm.Whole), fromEnd: 1);

        var (_, state) = await _world.RebuildAsync();

        Assert.Equal([damaged], state.Blocks.Values.Where(row => row.IsInvalid).Select(row => row.Id));
        Assert.Equal(VersionStatus.Invalid, state.Versions[version.Id].Status);
        Assert.Equal(VersionStatus.Valid, state.Versions[sound.Id].Status);
    }

    [Fact]
    public async Task AMissingBlockMakesItsVersionsInvalidAndIsRecordedSo()
    {
        var content = Plaintext.Noise(_random, 3 * RebuildWorld.BlockSize);
        var first = await _world.BackUpAsync("a", content);
        var second = await _world.BackUpAsync("b", content[..(2 * RebuildWorld.BlockSize)]);
        var third = await _world.BackUpAsync("c", Plaintext.Noise(_random, RebuildWorld.BlockSize));
        var lost = IdsOf(first)[0];
        await _world.Objects.DeleteAsync([ObjectNames.Block(lost, BlockForm.Whole)], CancellationToken.None);

        var (result, state) = await _world.RebuildAsync();

        Assert.Contains($"Block {lost}, number 0", Assert.Single(result.Problems), StringComparison.Ordinal);
        Assert.True(state.Blocks[lost] is { IsInvalid: true, Length: RebuildWorld.BlockSize });
        Assert.Equal(VersionStatus.Invalid, state.Versions[first.Id].Status);
        Assert.Equal(VersionStatus.Invalid, state.Versions[second.Id].Status);
        Assert.Equal(VersionStatus.Valid, state.Versions[third.Id].Status);
    }

    [Fact]
    public async Task ABlockWithADamagedHeaderOrACutObjectIsInvalid()
    {
        var version = await _world.BackUpAsync("a", Plaintext.Noise(_random, 3 * RebuildWorld.BlockSize));
        var ids = IdsOf(version);
        Flip(ObjectNames.Block(ids[0], BlockForm.Whole), fromEnd: 2 * RebuildWorld.BlockSize);
        _world.Objects.Damage(ObjectNames.Block(ids[2], BlockForm.Whole), bytes => bytes[..^1]);

        var (result, state) = await _world.RebuildAsync();

        Assert.Equal(2, result.Problems.Count);
        Assert.Equal(
            new[] { ids[0], ids[2] }.ToHashSet(),
            state.Blocks.Values.Where(row => row.IsInvalid).Select(row => row.Id).ToHashSet());
        Assert.Equal(VersionStatus.Invalid, state.Versions[version.Id].Status);
    }

    [Fact]
    public async Task AMissingLenderMakesTheBorrowersVersionInvalid()
    {
        var content = Plaintext.Noise(_random, RebuildWorld.BlockSize);
        var first = await _world.BackUpAsync("a", content);
        var second = await _world.BackUpAsync("a", Change(_random, content));
        var lender = IdsOf(first)[0];
        Assert.Contains(_world.State.Blocks.Values, row => row.Lenders.Contains(lender));
        await _world.RemoveAsync(first);
        await _world.Objects.DeleteAsync([ObjectNames.Block(lender, BlockForm.Whole)], CancellationToken.None);

        var (result, state) = await _world.RebuildAsync();

        // The lender, and who borrows from it.
        Assert.Equal(2, result.Problems.Count);
        Assert.All(result.Problems, line => Assert.Contains(lender.ToString(), line, StringComparison.Ordinal));
        Assert.Equal(VersionStatus.Invalid, state.Versions[second.Id].Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AMissingOrDamagedPageMakesItsVersionsInvalidOnly(bool isMissing)
    {
        var version = await _world.BackUpAsync("a", Plaintext.Noise(_random, RebuildWorld.BlockSize));
        var sound = await _world.BackUpAsync("b", Plaintext.Noise(_random, RebuildWorld.BlockSize));
        var page = ObjectNames.Page(version.Root);
        if (isMissing)
        {
            await _world.Objects.DeleteAsync([page], CancellationToken.None);
        }
        else
        {
            Flip(page, fromEnd: 1);
        }

        var (result, state) = await _world.RebuildAsync();

        Assert.Contains(version.Root.ToString(), Assert.Single(result.Problems), StringComparison.Ordinal);
        Assert.Equal(VersionStatus.Invalid, state.Versions[version.Id].Status);
        Assert.Equal(VersionStatus.Valid, state.Versions[sound.Id].Status);
    }

    [Fact]
    public async Task ADamagedManifestIsALineOfTheResult()
    {
        var version = await _world.BackUpAsync("a", Plaintext.Noise(_random, RebuildWorld.BlockSize));
        await _world.BackUpAsync("b", Plaintext.Noise(_random, RebuildWorld.BlockSize));
        Flip(ObjectNames.Manifest(version.Name), fromEnd: 1);

        var (result, state) = await _world.RebuildAsync();

        Assert.Contains("a/v0", Assert.Single(result.Problems), StringComparison.Ordinal);
        Assert.Single(state.Versions);
        Assert.Equal(1, result.Versions);
    }

    private static void AssertEqual(MemoryCatalogState lost, MemoryCatalogState made)
    {
        Assert.Equal(lost.Versions.Count, made.Versions.Count);
        foreach (var version in lost.Versions.Values)
        {
            var other = made.Versions[version.Id];
            Assert.Equal(version.Labels, other.Labels);
            Assert.Equal(version, other with { Labels = version.Labels });
        }

        Assert.Equal(lost.Blocks.Keys, made.Blocks.Keys);
        foreach (var row in lost.Blocks.Values)
        {
            var other = made.Blocks[row.Id];
            Assert.Equal(row.Loans.ToHashSet(), other.Loans.ToHashSet());
            Assert.Equal(row, other with { Loans = row.Loans, Since = row.Since });
        }

        Assert.Equal(lost.Pages.Keys, made.Pages.Keys);
        foreach (var row in lost.Pages.Values)
        {
            var other = made.Pages[row.Id];
            Assert.True(row.Content.AsSpan().SequenceEqual(other.Content));
            Assert.Equal(row, other with { Content = row.Content, Since = row.Since });
        }

        Assert.Equal(
            lost.Bindings.Values.Select(binding => binding with { HoldsStrays = true }), made.Bindings.Values);
        Assert.Empty(made.Intents);
    }

    private static VersionRecord Dress(Random random, VersionRecord version) => version with
    {
        IsProtected = random.Next(3) == 0,
        Snapshot = random.Next(2) == 0 ? "" : "snap-1",
        Statistics = random.Next(3) == 0 ? null : version.Statistics,
        Labels = random.Next(2) == 0
            ? []
            : new SortedList<string, string>(StringComparer.Ordinal) { ["site"] = "north", ["x"] = "" },
        Revision = random.Next(1, 5),
    };

    // One frame of one block, and sometimes the size.
    private static byte[] Change(Random random, byte[] content)
    {
        var length = random.Next(4) == 0 ? content.Length + random.Next(1, RebuildWorld.BlockSize) : content.Length;
        var changed = new byte[length];
        content.CopyTo(changed, 0);
        var frame = random.Next(content.Length / BlockGeometry.FrameSize) * BlockGeometry.FrameSize;
        random.NextBytes(changed.AsSpan(frame, 4096));
        return changed;
    }

    // The small versions here have one map page.
    private List<BlockId> IdsOf(VersionRecord version) =>
    [
        .. Enumerable.Range(0, (int)version.Geometry.BlockCount)
            .Select(i => new BlockId(MapPage.ReadEntry(_world.State.Pages[version.Root].Content, i))),
    ];

    private void Flip(ObjectName name, int fromEnd) => _world.Objects.Damage(name, bytes =>
    {
        bytes[Math.Max(0, bytes.Length - fromEnd)] ^= 0x10;
        return bytes;
    });
}
