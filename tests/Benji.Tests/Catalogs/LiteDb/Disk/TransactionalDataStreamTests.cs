using System.Buffers.Binary;
using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Testing.Catalogs;
using Benji.Testing.Disks;
using Xunit;

namespace Benji.Tests.Catalogs.LiteDb.Disk;

/// <summary>Pages that were flushed, read by those who know the log, through losses of power and killed writers.</summary>
public sealed class TransactionalDataStreamTests : IDisposable
{
    private const int PageSize = WalGroup.PageSize;
    private const int SeedsPerStep = 20;

    private readonly SimulatedDisk _disk = new();
    private readonly Sha256WalHash _hash = new();

    public TransactionalDataStreamTests()
    {
        _disk[SimulatedCatalogPlace.Data].Sync();
        _disk[SimulatedCatalogPlace.Log].Sync();
        _disk.SyncNames();
    }

    public void Dispose() => _hash.Dispose();

    /// <summary>The log has the length that was known, and at that place a group of the number that is next.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void ALogThatAnotherAppliedAndBeganAnewIsReadFromItsStart(int groups)
    {
        var reader = Open();
        Commit(reader, page: 0, content: 1);
        var other = Open();
        Commit(other, page: 0, content: 2);
        Assert.True(other.TryApply());
        for (var page = 1; page <= groups; page++)
        {
            Commit(other, page, content: (byte)(page + 2));
        }

        reader.Refresh();

        Assert.Equal(2, Read(reader, 0));
        Assert.All(Enumerable.Range(1, groups), page => Assert.Equal(page + 2, Read(reader, page)));
        Assert.Equal((groups + 1) * PageSize, reader.Length);
    }

    [Theory]
    [InlineData(0U)]
    [InlineData(WalGroup.PagesMax + 1U)]
    [InlineData(uint.MaxValue)]
    public void AGroupOfAnImpossibleNumberOfPagesIsNone(uint pages)
    {
        Commit(Open(), page: 0, content: 1);
        var header = new byte[WalGroup.HeaderSize];
        WalGroup.WriteHeader(header, sequence: 1, pages: 1, salt: 0);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), pages);
        _disk[SimulatedCatalogPlace.Log].Write(WalGroup.SizeOf(1), header);

        Assert.Equal(1, Read(Open(), 0));
        Assert.Equal(WalGroup.SizeOf(1), LogBytes().Length);
    }

    [Fact]
    public void EveryCutOfTheLastGroupIsCutOffAndTheOneBeforeStands()
    {
        Commit(Open(), page: 0, content: 1);
        Commit(Open(), page: 0, content: 2);
        var bytes = LogBytes();
        var size = (int)WalGroup.SizeOf(1);
        foreach (var length in new[] { size + 1, size + WalGroup.HeaderSize, size + 5000, bytes.Length - 1 })
        {
            _disk[SimulatedCatalogPlace.Log].Truncate(0);
            _disk[SimulatedCatalogPlace.Log].Write(0, bytes.AsSpan(0, length));

            Assert.Equal(1, Read(Open(), 0));
            Assert.Equal(size, LogBytes().Length);
        }
    }

    [Fact]
    public void ATornGroupBehindNewOnesOfAnotherIsCutOff()
    {
        var reader = Open();
        Commit(reader, page: 0, content: 1);
        Commit(Open(), page: 0, content: 2);
        var length = LogBytes().Length;
        _disk[SimulatedCatalogPlace.Log].Write(length, new byte[300]);

        reader.Refresh();

        Assert.Equal(2, Read(reader, 0));
        Assert.Equal(length, LogBytes().Length);
    }

    [Fact]
    public void AFlushThatReturnedSurvivesALossOfPower()
    {
        var stream = Open();
        Commit(stream, page: 0, content: 1);
        Commit(stream, page: 1, content: 2);

        _disk.RestartWithSyncedOnly();

        var found = Open();
        Assert.Equal((1, 2), (Read(found, 0), Read(found, 1)));
    }

    /// <summary>Up to the step at which nothing is left to lose: the first flush into the emptied log.</summary>
    [Fact]
    public void AnApplyLosesNothingAtWhicheverStepThePowerGoes()
    {
        for (var step = 1; ; step++)
        {
            for (var seed = 0; seed < SeedsPerStep; seed++)
            {
                using var run = new TransactionalDataStreamTests();
                if (!run.LosesPowerInApply(step, seed))
                {
                    Assert.True(step > 6);
                    return;
                }
            }
        }
    }

    /// <summary>Its writer was told that nothing was kept. A sync may fail before or after it has done its work.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AGroupWhoseSyncFailedIsNotThereAfterALossOfPower(bool hasReachedTheDisk)
    {
        var stream = Open();
        Commit(stream, page: 0, content: 1);
        var failures = 1;
        _disk.Fails = step =>
        {
            var fails = step.Kind == DiskStepKind.Sync && --failures == 0;
            if (fails && hasReachedTheDisk)
            {
                _disk[SimulatedCatalogPlace.Log].Sync();
            }

            return fails;
        };

        Assert.Throws<IOException>(() => Commit(stream, page: 0, content: 2));

        Assert.False(stream.IsOutcomeUnknown);
        _disk.RestartWithSyncedOnly();
        Assert.Equal(1, Read(Open(), 0));
    }

    /// <summary>A failed sync calls clean what it did not write: a further sync writes nothing of it.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void WhatARepairSawIsThereAfterALossOfPowerThoughItsWritersSyncFailed(int groupsBefore)
    {
        var writer = Open();
        for (var page = 1; page <= groupsBefore; page++)
        {
            Commit(writer, page, content: 7);
        }

        // Neither the sync nor the undoing of the group succeeds, and then the writer is killed.
        _disk.Fails = step => step.Kind is DiskStepKind.Sync or DiskStepKind.Truncate;
        Assert.Throws<IOException>(() => Commit(writer, page: 0, content: 1));
        Assert.True(writer.IsOutcomeUnknown);
        _disk.Fails = null;
        _disk.Resume();
        var next = Open();
        Assert.Equal(1, Read(next, 0));

        next.Repair();

        _disk.RestartWithSyncedOnly();
        var found = Open();
        Assert.Equal(1, Read(found, 0));
        Assert.All(Enumerable.Range(1, groupsBefore), page => Assert.Equal(7, Read(found, page)));
    }

    [Fact]
    public void ARepairMakesWhatAKilledWriterLeftDurable()
    {
        var writer = Open();
        Commit(writer, page: 0, content: 1);
        _disk.LosesPowerAt = step => step.Kind == DiskStepKind.Sync;
        Assert.Throws<PowerLossException>(() => Commit(writer, page: 0, content: 2));
        _disk.LosesPowerAt = null;
        _disk.Resume();
        var next = Open();
        Assert.Equal(2, Read(next, 0));

        next.Repair();

        _disk.RestartWithSyncedOnly();
        Assert.Equal(2, Read(Open(), 0));
    }

    // False when the apply and the flush after it end before the step.
    private bool LosesPowerInApply(int step, int seed)
    {
        var stream = Open();
        Commit(stream, page: 0, content: 1);
        Commit(stream, page: 1, content: 2);
        Commit(stream, page: 0, content: 3);
        var start = _disk.Steps;
        _disk.LosesPowerAt = at => at.Kind != DiskStepKind.Read && _disk.Steps == start + step;
        var ends = Record.Exception(() =>
        {
            Assert.True(stream.TryApply());
            Commit(stream, page: 0, content: 4);
        });
        _disk.LosesPowerAt = null;
        if (seed == 0)
        {
            _disk.RestartWithSyncedOnly();
        }
        else
        {
            _disk.Restart(new Random(seed), new PowerLossModel(512, MayLoseCutsAlone: true));
        }

        var found = Open();
        Assert.True(Read(found, 0) == 4 || (ends is not null && Read(found, 0) == 3), $"step {step}, seed {seed}");
        Assert.Equal(2, Read(found, 1));
        return ends is not null;
    }

    private TransactionalDataStream Open() => new(
        SimulatedCatalogPlace.On(_disk, new SimulatedCounter(), loggedPagesMax: 1).OpenDisk(true), _hash, new PagePool());

    private byte[] LogBytes()
    {
        var bytes = new byte[_disk[SimulatedCatalogPlace.Log].Length];
        _disk[SimulatedCatalogPlace.Log].Read(0, bytes);
        return bytes;
    }

    private static void Commit(TransactionalDataStream stream, int page, byte content)
    {
        var bytes = new byte[PageSize];
        Array.Fill(bytes, content);
        stream.Position = (long)page * PageSize;
        stream.Write(bytes, 0, PageSize);
        stream.Flush();
    }

    // Fails when the page is of several contents.
    private static int Read(TransactionalDataStream stream, int page)
    {
        var bytes = new byte[PageSize];
        stream.Position = (long)page * PageSize;
        Assert.Equal(PageSize, stream.Read(bytes, 0, PageSize));
        return Assert.Single(bytes.Distinct());
    }
}
