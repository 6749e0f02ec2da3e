using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Catalogs.LiteDb.Roles;
using Benji.Store.Catalogs.LiteDb.Rows;
using Benji.Store.Model;
using Benji.Testing;
using LiteDB;
using LiteDB.Engine;
using Xunit;

namespace Benji.Tests.Catalogs.LiteDb;

/// <summary>Every field of every kind of row is replaced by everything that it should not be: each read gives a value or says
/// that the catalog is damaged, and how to make it anew.</summary>
public sealed class DamagedRowTests : IDisposable
{
    private const string Storage = "main";
    private const int BytesMax = 400;

    private static readonly DateTimeOffset Date = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly VersionName Name = new("vm/disk", "one");
    private static readonly Guid Id = new("11111111-2222-3333-4444-555555555555");

    private readonly TemporaryDirectory _directory = new();
    private readonly FileLeaseOwners _owners;
    private readonly LiteEngine _engine = new(new EngineSettings
    {
        DataStream = new MemoryStream(),
        LogStream = new MemoryStream(),
        TempStream = new MemoryStream(),
        Collation = Collation.Binary,
    });

    public DamagedRowTests()
    {
        _owners = new FileLeaseOwners(_directory["owners"], _directory["catalog.db"]);
        LiteDbSchema.Create(_engine);
        _engine.BeginTrans();
        Fill(Open());
        _engine.Commit();
    }

    public static TheoryData<string> Collections =>
    [
        LiteDbSchema.Meta, LiteDbSchema.Versions, LiteDbSchema.Pages, LiteDbSchema.Blocks, LiteDbSchema.InvalidBlocks,
        LiteDbSchema.Overlays, LiteDbSchema.Leases, LiteDbSchema.Intents, LiteDbSchema.Claims, LiteDbSchema.Reservations,
        LiteDbSchema.AgeMarks, LiteDbSchema.Storages,
    ];

    public void Dispose()
    {
        _engine.Dispose();
        _owners.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void EveryCollectionIsInTheTest() =>
        Assert.Equal(((IEnumerable<object[]>)Collections).Select(row => (string)row[0]).Order(), _engine.GetCollectionNames().Order());

    [Theory]
    [MemberData(nameof(Collections))]
    public void ADamagedRowReadsAsAValueOrIsCalledDamaged(string collection)
    {
        var cases = 0;
        var damaged = 0;
        foreach (var row in ReadRows(collection))
        {
            foreach (var field in row.Keys.ToList())
            {
                foreach (var twin in Twins(row, field))
                {
                    cases++;
                    damaged += Try(collection, row, twin) ? 1 : 0;
                }
            }
        }

        Assert.True(cases > 20 && damaged > cases / 20, $"{cases} cases, of which {damaged} were called damaged.");
    }

    // True when a read called the catalog damaged.
    private bool Try(string collection, BsonDocument row, BsonDocument twin)
    {
        _engine.BeginTrans();
        try
        {
            _engine.Delete(collection, [row[LiteDbSchema.Key]]);
            _engine.Insert(collection, [twin], BsonAutoId.ObjectId);
            return Reads().Select(read => IsDamaged(read, twin)).ToList().Contains(true);
        }
        catch (Exception failure) when (failure is LiteException or OverflowException)
        {
            // No such row can be.
            return true;
        }
        finally
        {
            _engine.Rollback();
        }
    }

    private bool IsDamaged(Action<LiteDbTransaction> read, BsonDocument twin)
    {
        try
        {
            read(Open());
            LiteDbSchema.Check(OpenRows(), "test");
            return false;
        }
        catch (CatalogException failure) when (failure.IsDamage)
        {
            Assert.Contains("'benji rebuild --force'", failure.Message, StringComparison.Ordinal);
            return true;
        }
        catch (ConfigurationException)
        {
            // Of a layout that is newer.
            return true;
        }
        catch (Exception failure) when (failure is not LiteException)
        {
            throw new InvalidOperationException($"{failure.GetType().Name} for {JsonSerializer.Serialize(twin)}", failure);
        }
    }

    private static IEnumerable<BsonDocument> Twins(BsonDocument row, string field)
    {
        var missing = new BsonDocument(row.ToDictionary(pair => pair.Key, pair => pair.Value));
        missing.Remove(field);
        yield return missing;
        foreach (var value in Values(row[field]).Where(value => value != row[field]))
        {
            yield return new BsonDocument(row.ToDictionary(pair => pair.Key, pair => pair.Value)) { [field] = value };
        }
    }

    private static IEnumerable<BsonValue> Values(BsonValue value)
    {
        BsonValue[] others =
        [
            BsonValue.Null, 0, 7, -1, int.MaxValue, long.MaxValue, long.MinValue, 0.5, "text", true, Guid.Empty,
            Array.Empty<byte>(), new byte[16], new byte[32], new BsonDocument(), DateTime.UnixEpoch,
        ];
        return value.IsBinary ? others.Concat(Bytes(value.AsBinary)) : others;
    }

    private static IEnumerable<BsonValue> Bytes(byte[] bytes)
    {
        yield return new BsonValue(bytes[..^1]);
        yield return new BsonValue(bytes[..(bytes.Length / 2)]);
        yield return new BsonValue(bytes.Append((byte)1).ToArray());
        for (var at = 0; at < Math.Min(bytes.Length, BytesMax); at++)
        {
            foreach (var mask in new byte[] { 0x01, 0x80, 0xFF })
            {
                var twin = bytes.ToArray();
                twin[at] ^= mask;
                yield return new BsonValue(twin);
            }
        }
    }

    private List<BsonDocument> ReadRows(string collection)
    {
        var rows = new List<BsonDocument>();
        using var reader = _engine.Query(collection, new Query());
        while (reader.Read())
        {
            rows.Add(reader.Current.AsDocument);
        }

        return rows;
    }

    private LiteDbRows OpenRows() => new(_engine, new LiteDbConditions(), "test", isReadOnly: false);

    private LiteDbTransaction Open() => new(OpenRows(), new BlockGroupCache(), _owners, TimeProvider.System);

    private static BlockId Block(int number) => new(new Hash256([.. Enumerable.Repeat((byte)number, Hash256.Size)]));

    private static IReadOnlyList<Action<LiteDbTransaction>> Reads() =>
    [
        catalog => catalog.Versions.List(null),
        catalog => catalog.Versions.List(Name.Volume),
        catalog => catalog.Versions.Find(Id),
        catalog => catalog.Versions.Find(Name),
        catalog => catalog.Versions.FindLatest(Name.Volume, VersionStatus.Invalid),
        catalog => catalog.BlockMaps.Find([new PageId(Block(1).Hash)]),
        catalog => catalog.BlockMaps.Scan(null, 10),
        catalog => catalog.BlockReferences.Find([Block(1), Block(2), Block(3)]),
        catalog => catalog.BlockReferences.Scan(null, 10),
        catalog => catalog.BlockReferences.ListInvalid(),
        catalog => catalog.BlockReferences.Remove([Block(2)]),
        catalog => catalog.Overlays.List(null),
        catalog => catalog.Overlays.Find(Id, "fix"),
        catalog => catalog.Leases.List(""),
        catalog => catalog.Leases.TryAcquire("volume", LeaseMode.Shared, "test", out _, out _),
        catalog => catalog.Intents.List(),
        catalog => catalog.DeletionClaims.Find(Storage),
        catalog => catalog.DeltaReservations.List(),
        catalog => catalog.AgeMarks.List(Storage),
        catalog => catalog.StorageBindings.Find(Storage),
        catalog => catalog.StorageBindings.List(),
    ];

    private static void Fill(LiteDbTransaction catalog)
    {
        var version = new VersionRecordBuilder(Name.Volume, Name.Version) { Id = Id, Date = Date }.Build() with
        {
            Snapshot = "snapshot",
            Statistics = new VersionStatistics(1, 2, 3, 4, 5, 6.5),
        };
        version.Labels.Add("label", "value");
        catalog.Versions.Add(version);
        var content = new byte[BlockGeometry.PageSize];
        content[5] = 1;
        catalog.BlockMaps.Put([new MapPageRow(new PageId(Block(1).Hash), Storage, 0, content, ReferenceState.Live, Date)]);
        var frames = FrameSet.All(2);
        var lender = new BlockRow(
            Block(1),
            Storage,
            BlockForm.Whole,
            2 * BlockGeometry.FrameSize,
            100,
            200,
            [],
            null,
            false,
            ReferenceState.Live,
            Date);
        catalog.BlockReferences.Put(
        [
            lender,
            lender with { Id = Block(2), Form = BlockForm.Delta, Own = frames, Loans = [new Loan(Block(1), frames)] },
            lender with { Id = Block(3), IsInvalid = true },
        ]);
        catalog.Overlays.Add(new OverlayRecord(Id, "fix", Id, Name, Date));
        Assert.True(catalog.Leases.TryAcquire("volume", LeaseMode.Shared, "backup", out _, out _));
        var mark = new AgeMark(7, Id);
        catalog.Intents.Put(new Intent(IntentKind.Remove, Id, Name, Storage, 3, Date, Id, mark) { Over = [mark] });
        catalog.DeletionClaims.Put(new DeletionClaim(Storage, mark, [mark], [Block(1)], [new PageId(Block(2).Hash)])
        {
            Deltas = [Block(3)],
        });
        catalog.DeltaReservations.Put(new DeltaReservation(Id, Storage, 3, [Block(1), Block(2)]));
        catalog.AgeMarks.Put(new KnownMark(Storage, mark, AgeMarkState.Required, Date));
        catalog.StorageBindings.Put(new StorageBinding(Storage, Id, true, Date, true, 2));
    }
}
