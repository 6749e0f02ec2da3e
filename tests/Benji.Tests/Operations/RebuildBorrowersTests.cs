using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Testing.Blocks;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>After a rebuild no row is sound whose block cannot be read: lost lenders are kept as such, with all who borrow.</summary>
public sealed class RebuildBorrowersTests : IAsyncLifetime
{
    private const int Size = DeltaCast.Length;

    private RebuildWorld _world = null!;

    public async Task InitializeAsync() => _world = await RebuildWorld.OpenAsync();

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ALostLenderIsKeptAsDamagedWithAllWhoBorrow(bool isMissing)
    {
        var (ids, versions) = await BackUpChainAsync();
        await _world.RemoveAsync(versions[0]);
        await LoseAsync(ids[0], BlockForm.Whole, isMissing);

        var (result, state) = await _world.RebuildAsync();

        foreach (var id in ids)
        {
            Assert.Equal((true, Size), (state.Blocks[id].IsInvalid, state.Blocks[id].Length));
            Assert.Contains(result.Problems, line => line.Contains(id.ToString(), StringComparison.Ordinal));
        }

        Assert.All(versions[1..], version => Assert.Equal(VersionStatus.Invalid, state.Versions[version.Id].Status));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ALostLenderInTheMiddleLeavesItsOwnLenderSound(bool isMissing)
    {
        var (ids, versions) = await BackUpChainAsync();
        await LoseAsync(ids[1], BlockForm.Delta, isMissing);

        var (_, state) = await _world.RebuildAsync();

        Assert.Equal([false, true, true], ids.Select(id => state.Blocks[id].IsInvalid));
        Assert.Equal(Size, state.Blocks[ids[1]].Length);
        Assert.Equal(
            [VersionStatus.Valid, VersionStatus.Invalid, VersionStatus.Invalid],
            versions.Select(version => state.Versions[version.Id].Status));
    }

    [Fact]
    public async Task WhoBorrowsFromABorrowerAloneIsMarkedToo()
    {
        VersionRecord[] versions =
        [
            await _world.BackUpAsync("a", DeltaCast.Of("abcd")),
            await _world.BackUpAsync("a", DeltaCast.Of("abzz")),
            await _world.BackUpAsync("a", DeltaCast.Of("yyzz")),
        ];
        BlockId[] ids = [.. versions.Select(version => IdsOf(version)[0])];
        Assert.Equal([ids[1]], _world.State.Blocks[ids[2]].Lenders);
        await LoseAsync(ids[0], BlockForm.Whole, isMissing: true);

        var (_, state) = await _world.RebuildAsync();

        Assert.All(ids, id => Assert.True(state.Blocks[id].IsInvalid));
        Assert.All(versions, version => Assert.Equal(VersionStatus.Invalid, state.Versions[version.Id].Status));
    }

    [Fact]
    public async Task ALenderThatDoesNotOwnWhatIsBorrowedMarksTheBorrowersOnly()
    {
        var (ids, versions) = await BackUpChainAsync();
        var third = await _world.BackUpAsync("b", DeltaCast.Of("abcy"));
        await _world.PutDeltaAsync(DeltaCast.Of("abcd"), IdsOf(third)[0], frame => frame < 3);
        await _world.Objects.DeleteAsync([ObjectNames.Block(ids[0], BlockForm.Whole)], CancellationToken.None);

        var (_, state) = await _world.RebuildAsync();

        Assert.Equal([false, true, true], ids.Select(id => state.Blocks[id].IsInvalid));
        Assert.Equal(VersionStatus.Valid, state.Versions[versions[0].Id].Status);
        Assert.Equal(VersionStatus.Invalid, state.Versions[versions[2].Id].Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhereTheWholeObjectIsDamagedTheDeltaCounts(bool isHeader)
    {
        var (ids, versions) = await BackUpChainAsync();
        await _world.PutWholeAsync(DeltaCast.Of("abyz"));
        if (isHeader)
        {
            await LoseAsync(ids[2], BlockForm.Whole, isMissing: false);
        }

        var (result, state) = await _world.RebuildAsync();

        Assert.Equal(isHeader ? BlockForm.Delta : BlockForm.Whole, state.Blocks[ids[2]].Form);
        Assert.Equal((false, isHeader ? 1 : 0), (state.Blocks[ids[2]].IsInvalid, result.Problems.Count));
        Assert.Equal(VersionStatus.Valid, state.Versions[versions[2].Id].Status);
    }

    [Fact]
    public async Task AFrameThatFailsInALenderMarksTheLenderToo()
    {
        var (ids, versions) = await BackUpChainAsync();
        _world.Objects.Damage(ObjectNames.Block(ids[0], BlockForm.Whole), bytes => [.. bytes[..600], .. new byte[bytes.Length - 600]]);
        await _world.ReplaceManifestAsync(versions[2] with { Status = VersionStatus.Invalid });

        var (_, state) = await _world.RebuildAsync();

        Assert.Equal([true, true, true], ids.Select(id => state.Blocks[id].IsInvalid));
        Assert.All(versions, version => Assert.Equal(VersionStatus.Invalid, state.Versions[version.Id].Status));
    }

    /// <summary>Three versions of one block: whole, a delta over it, and a delta over both.</summary>
    private async Task<(BlockId[] Ids, VersionRecord[] Versions)> BackUpChainAsync()
    {
        VersionRecord[] versions =
        [
            await _world.BackUpAsync("a", DeltaCast.Of("abcd")),
            await _world.BackUpAsync("a", DeltaCast.Of("abcz")),
            await _world.BackUpAsync("a", DeltaCast.Of("abyz")),
        ];
        BlockId[] ids = [.. versions.Select(version => IdsOf(version)[0])];
        Assert.Equal(ids[..2].ToHashSet(), _world.State.Blocks[ids[2]].Lenders.ToHashSet());
        return (ids, versions);
    }

    private async Task LoseAsync(BlockId id, BlockForm form, bool isMissing)
    {
        var name = ObjectNames.Block(id, form);
        if (isMissing)
        {
            await _world.Objects.DeleteAsync([name], CancellationToken.None);
        }
        else
        {
            _world.Objects.Damage(name, bytes => [.. bytes[..130], (byte)(bytes[130] ^ 1), .. bytes[131..]]);
        }
    }

    private List<BlockId> IdsOf(VersionRecord version) =>
        [new BlockId(MapPage.ReadEntry(_world.State.Pages[version.Root].Content, 0))];
}
