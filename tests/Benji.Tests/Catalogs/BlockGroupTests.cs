using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb.Roles;
using Benji.Store.Model;
using Benji.Testing.Catalogs;
using Benji.Tests.Blocks.Maps;
using Xunit;

namespace Benji.Tests.Catalogs;

/// <summary>The bytes of a group of block rows, whole and damaged.</summary>
public sealed class BlockGroupTests
{
    [Fact]
    public void KeysAreInTheOrderOfIds()
    {
        var random = new Random(3);
        BlockId[] ids = [.. Enumerable.Range(0, 200).Select(_ => MapModel.RandomId(random)).OrderBy(id => id.Hash)];

        int[] keys = [.. ids.Select(BlockGroup.KeyOf)];

        Assert.Equal(keys.Order(), keys);
        Assert.Equal(0x1234, BlockGroup.KeyOf(new BlockId(new Hash256([0x12, 0x34, .. new byte[30]]))));
    }

    [Fact]
    public void OfTwoChangesOfOneIdTheLaterHolds()
    {
        var random = new Random(4);
        var row = Row(MapModel.RandomId(random), random);
        var later = row with { StoredLength = 99 };

        var put = BlockGroup.Merge(BlockGroup.Empty, [new(row.Id, row), new(row.Id, later)]);
        var removed = BlockGroup.Merge(put, [new(row.Id, row), new(row.Id, null)]);

        Assert.Equal(99, BlockGroup.Find(put, row.Id)!.StoredLength);
        Assert.Empty(removed);
    }

    [Fact]
    public void DamagedBytesAreRefusedByOneException()
    {
        var random = new Random(6);
        BlockRow[] rows =
        [
            .. Enumerable.Range(0, 20).Select(_ => Row(MapModel.RandomId(random), random)).OrderBy(row => row.Id.Hash),
        ];
        var whole = BlockGroup.Merge(BlockGroup.Empty, [.. rows.Select(row => new BlockChange(row.Id, row))]);
        var refused = 0;
        for (var round = 0; round < 5_000; round++)
        {
            var damaged = whole.AsSpan(0, random.Next(whole.Length)).ToArray();
            for (var flips = random.Next(4); flips > 0 && damaged.Length > 0; flips--)
            {
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            }

            var failure = Record.Exception(() =>
            {
                BlockGroup.List(damaged, null, [], int.MaxValue);
                BlockGroup.Find(damaged, rows[^1].Id);
                BlockGroup.Merge(damaged, [new(rows[3].Id, null)]);
            });
            refused += failure is null ? 0 : 1;
            Assert.True(failure is null or CatalogException, $"Round {round}: {failure}");
        }

        Assert.InRange(refused, 4_000, 5_000);
    }

    private static BlockRow Row(BlockId id, Random random) => new(
        id, "storage", BlockForm.Delta, 4 << 20, 1 << 20, 1234,
        SampleLoans.Of(4 << 20, Enumerable.Range(0, random.Next(5)).Select(_ => MapModel.RandomId(random))),
        FrameSet.All(64),
        IsInvalid: false, ReferenceState.Live, DateTimeOffset.UnixEpoch);
}
