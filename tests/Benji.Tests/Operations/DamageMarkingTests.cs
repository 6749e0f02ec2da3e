using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Benji.Testing.Catalogs;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>Damage marks the object that failed, whoever met it, then all who borrow from it; no run slips between.</summary>
public sealed class DamageMarkingTests : IAsyncLifetime
{
    private const int Frame = BlockGeometry.FrameSize;

    private InterruptedCatalog _catalog = null!;
    private StoreFixture _store = null!;
    private byte[] _content = null!;

    public Task InitializeAsync()
    {
        Renew();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AFrameThatFailsInALenderMarksTheLender(bool isRestore)
    {
        var (lender, borrower) = await LendAsync();
        Flip(lender, 10);

        if (isRestore)
        {
            await _store.RestoreAsync("disk/two", "target");
        }
        else
        {
            await _store.DeepScrubAsync(new VersionName("disk", "two"));
        }

        Assert.Equal([lender, borrower], await InvalidAsync(lender, borrower));

        // It lends no more: what changes elsewhere is stored whole.
        _content[0] ^= 1;
        _store.Images.Set("disk", _content);
        Assert.Equal((1, 0), Stored(await _store.BackupAsync("disk")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AMissingLenderIsMarked(bool isDeep)
    {
        var (lender, borrower) = await LendAsync();
        File.Delete(PathOf(lender, BlockForm.Whole));

        await ScrubAsync("disk/two", isDeep);

        Assert.Equal([lender, borrower], await InvalidAsync(lender, borrower));
    }

    [Fact]
    public async Task AScrubFindsALenderThatDoesNotOwnWhatIsBorrowed()
    {
        var (lender, borrower) = await LendAsync();
        await ChangeAsync(lender, row => row with
        {
            Form = BlockForm.Delta,
            Own = new FrameSet(8),
            StoredLength = new FileInfo(PathOf(lender, BlockForm.Whole)).Length,
        });
        File.Move(PathOf(lender, BlockForm.Whole), PathOf(lender, BlockForm.Delta));

        var result = await ScrubAsync("disk/two", isDeep: false);

        Assert.Single(result.Damage);
        Assert.Equal([borrower], await InvalidAsync(lender, borrower));
    }

    [Theory]
    [InlineData(BlockForm.Whole, true)]
    [InlineData(BlockForm.Delta, false)]
    public async Task ADamagedObjectIsToldWhereItsRowCountsOnIt(object form, bool isTold)
    {
        var (_, borrower) = await LendAsync();
        await PutWholeBesideAsync(borrower);
        if ((BlockForm)form == BlockForm.Delta)
        {
            var row = (await FindAsync(borrower))!;
            await ChangeAsync(borrower, _ => row with { Form = BlockForm.Delta });
        }

        var result = await ScrubAsync("disk/two", isDeep: true);

        Assert.Equal(isTold ? [borrower] : [], await InvalidAsync(borrower));
        Assert.Equal(isTold ? VersionStatus.Invalid : VersionStatus.Valid, result.Version.Status);
        Assert.Equal(_content, await _store.RestoreAsync(new VersionName("disk", "two")));
    }

    [Fact]
    public async Task ABlockThatIsThereAgainGetsTheRowOfItsObject()
    {
        var (lender, borrower) = await LendAsync();
        var before = (await FindAsync(borrower))!;
        await ChangeAsync(borrower, row => new BlockRow(
            row.Id, row.Storage, BlockForm.Whole, row.Length, 0, 0, [], null, true, row.State, row.Since));

        Assert.Empty((await ScrubAsync("disk/two", isDeep: true)).Damage);

        var after = (await FindAsync(borrower))!;
        Assert.Equal((BlockForm.Delta, before.StoredLength, before.Allocated, false),
            (after.Form, after.StoredLength, after.Allocated, after.IsInvalid));
        Assert.Equal([lender], after.Lenders);
        Assert.Equal(before.Own, after.Own);
    }

    [Fact]
    public async Task ABlockThatIsMarkedGetsTheRowOfTheObjectThatDidNotFail()
    {
        var (lender, borrower) = await LendAsync();
        await PutWholeBesideAsync(borrower);
        await ChangeAsync(borrower, row => row.Marked() with { Form = BlockForm.Delta });

        Assert.Empty((await ScrubAsync("disk/two", isDeep: true)).Damage);

        var after = (await FindAsync(borrower))!;
        Assert.Equal((BlockForm.Delta, false), (after.Form, after.IsInvalid));
        Assert.Equal([lender], after.Lenders);
    }

    [Fact]
    public async Task ABlockThatIsMarkedDuringTheScrubThatVerifiesItStaysMarked()
    {
        var (_, borrower) = await LendAsync();
        await MarkAsync(borrower);
        for (var number = 1; ; number++)
        {
            _catalog.Interrupt(number, () => MarkAsync(borrower));
            await ScrubAsync("disk/two", isDeep: true);
            if (!_catalog.Stop())
            {
                break;
            }

            Assert.Equal([borrower], await InvalidAsync(borrower));
        }

        Assert.Empty(await InvalidAsync(borrower));
    }

    /// <summary>A run that uses the damaged block itself, and one that borrows from it.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task NoRunSlipsBetweenAMarkAndItsBorrowers(byte change)
    {
        for (var number = 0; ; number++)
        {
            await _store.DisposeAsync();
            Renew();
            var (lender, _) = await LendAsync();
            Flip(lender, 10);
            var changed = _content.ToArray();
            changed[0] ^= change;
            _catalog.Interrupt(number, async () =>
            {
                _store.Images.Set("disk", changed);
                await _store.BackupAsync("disk", request => request with { Version = "three" });
            });

            await ScrubAsync("disk/two", isDeep: true);

            if (!_catalog.Stop())
            {
                break;
            }

            var third = (await (await _store.StoreAsync()).ListAsync("disk")).Single(v => v.Name.Version == "three");
            var (restored, content) = await _store.RestoreAsync("disk/three", "target");
            Assert.True(
                third.Status == VersionStatus.Invalid || content.AsSpan().SequenceEqual(changed),
                $"Before transaction {number} a run slipped through: {restored.Damage.Count} ranges are damaged.");
        }
    }

    private static (long New, long Deltas) Stored(BackupResult result) => (result.BlocksNew, result.BlocksDelta);

    private void Renew()
    {
        _store = new StoreFixture
        {
            BlockSize = 8 * Frame,
            ZstdLevel = null,
            Parts = new StoreParts { WrapCatalog = catalog => _catalog = new InterruptedCatalog(catalog) },
        };
        _content = RandomNumberGenerator.GetBytes(8 * Frame);
    }

    /// <summary>Version <c>two</c> borrows seven frames from a block that no version has any more.</summary>
    private async Task<(BlockId Lender, BlockId Borrower)> LendAsync()
    {
        _store.Images.Set("disk", _content);
        await _store.BackupAsync("disk", request => request with { Version = "one" });
        var lender = await AllAsync();
        _content[0] ^= 1;
        _store.Images.Set("disk", _content);
        Assert.Equal((1, 1), Stored(await _store.BackupAsync("disk", request => request with { Version = "two" })));
        await _store.RemoveAsync(new VersionName("disk", "one"));
        return (lender[0], (await AllAsync()).Except(lender).Single());
    }

    // A whole object that is damaged in its last frame, as a run leaves it whose disk then rots.
    private async Task PutWholeBesideAsync(BlockId id)
    {
        await MarkAsync(id);
        await _store.BackupAsync("disk", request => request with { Version = "healed" });
        await _store.RemoveAsync(new VersionName("disk", "healed"));
        Assert.Equal(BlockForm.Whole, (await FindAsync(id))!.Form);
        Flip(id, 10);
    }

    private string PathOf(BlockId id, BlockForm form) => Path.Combine(_store.StoragePath, ObjectNames.Block(id, form).Value);

    private void Flip(BlockId id, int fromEnd) => DamagedFile.Flip(PathOf(id, BlockForm.Whole), fromEnd);

    private async Task<ScrubResult> ScrubAsync(string version, bool isDeep) => await (await _store.StoreAsync()).ScrubAsync(
        new ScrubRequest { Version = version, IsDeep = isDeep }, NoProgress.Instance);

    private Task<BlockId[]> AllAsync() => _catalog.ReadAsync<BlockId[]>(
        transaction => [.. transaction.BlockReferences.Scan(null, 100).Select(row => row.Id)], CancellationToken.None);

    private async Task<BlockRow?> FindAsync(BlockId id) =>
        (await _catalog.ReadAsync(transaction => transaction.BlockReferences.Find([id]), CancellationToken.None))[0];

    private Task<BlockId[]> InvalidAsync(params BlockId[] among) => _catalog.ReadAsync<BlockId[]>(
        transaction => [.. among.Intersect(transaction.BlockReferences.ListInvalid())], CancellationToken.None);

    private Task MarkAsync(BlockId id) => ChangeAsync(id, row => row.Marked());

    private Task ChangeAsync(BlockId id, Func<BlockRow, BlockRow> change) => _catalog.WriteAsync(
        transaction =>
        {
            transaction.BlockReferences.Put([change(transaction.BlockReferences.Find([id])[0]!)]);
            return true;
        },
        CancellationToken.None);
}
