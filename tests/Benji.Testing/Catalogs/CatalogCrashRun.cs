using System.Collections.Immutable;
using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Catalogs.LiteDb.Reading;
using Benji.Store.Model;
using Benji.Testing.Disks;

namespace Benji.Testing.Catalogs;

/// <summary>One chain of random transactions, crashes and reopenings of a LiteDB catalog on a simulated disk.</summary>
/// <remarks>After each crash the catalog holds all that was acknowledged, and the transaction under way whole or not at all;
/// every way of reading agrees, and new transactions work. A killed process may be followed by a loss of power, and then
/// what was read in between still stands.</remarks>
internal sealed class CatalogCrashRun
{
    private const int Rounds = 4;
    private const int TransactionsMax = 14;
    private const long ReserveSize = 256 << 10;

    private readonly Random _random;
    private readonly CatalogCrash? _kind;
    private readonly SimulatedDisk _disk = new();
    private readonly SimulatedCounter _counter = new();
    private readonly PowerLossModel _model;
    private readonly CatalogWeakness _weakness;
    private readonly int _loggedPagesMax;

    private CatalogModel _acknowledged = new();
    private CatalogModel? _underWay;

    /// <summary>Prepares a chain; equal arguments make an equal one.</summary>
    /// <param name="seed">Chooses everything.</param>
    /// <param name="kind">When the power goes; null for another moment each time.</param>
    /// <param name="weakness">What is taken away.</param>
    public CatalogCrashRun(int seed, CatalogCrash? kind, CatalogWeakness weakness)
    {
        _random = new Random(seed);
        _kind = kind;
        _weakness = weakness;
        _model = new PowerLossModel(
            SectorSize: _random.Next(2) == 0 ? 512 : 4096,
            // What only a lost cut shows needs a file system that loses cuts.
            MayLoseCutsAlone: _random.Next(2) == 0 || kind == CatalogCrash.FirstLogWriteAfterReset);
        _loggedPagesMax = new[] { 8, 20, 40, 120 }[_random.Next(4)];
        _disk.SkipsSync = Skips(weakness);
    }

    /// <summary>True for a disk that is full now and then.</summary>
    public bool IsSmall { get; init; }

    /// <summary>The crashes so far.</summary>
    public int Crashes { get; private set; }

    /// <summary>Runs the chain.</summary>
    /// <exception cref="InvalidDataException">The catalog lost or made up something.</exception>
    public async Task RunAsync()
    {
        if (_kind != CatalogCrash.Creation)
        {
            await using var made = await OpenAsync();
        }

        for (var round = 0; round < Rounds; round++)
        {
            var kinds = Enum.GetValues<CatalogCrash>();
            var kind = _kind ?? kinds[_random.Next(kinds.Length)];
            _disk.LosesPowerAt = CatalogCrashPlan.Choose(kind, _random);
            await WorkAsync();
            _disk.LosesPowerAt = null;
            Crashes++;
            if (_random.Next(4) == 0)
            {
                _disk.Resume();
                _counter.Value += _weakness == CatalogWeakness.NoRepair ? _counter.Value % 2 : 0;
                await VerifyAsync(mayWrite: false);
            }

            _disk.Restart(_random, _model);
            _counter.Value = _random.Next(2) == 0 ? _counter.Value : _random.Next();
            await VerifyAsync(mayWrite: true);
        }
    }

    private async Task WorkAsync()
    {
        try
        {
            await using var catalog = await OpenAsync();
            for (var i = 0; i < TransactionsMax && !_disk.IsDown; i++)
            {
                _disk.Capacity = IsSmall && _random.Next(2) == 0 ? _disk.Used + _random.Next(100_000) : null;
                await ChangeAsync(catalog, mayRollBack: true);
            }
        }
#pragma warning disable CA1031 // The machine is off: any failure is one of a program that no longer runs.
        catch (Exception) when (_disk.IsDown)
#pragma warning restore CA1031
        {
            // What the program saw is of no interest; what it left is looked at next.
        }
    }

    private async Task ChangeAsync(LiteDbCatalog catalog, bool mayRollBack)
    {
        var next = _acknowledged.Copy();
        var rollsBack = mayRollBack && _random.Next(8) == 0;
        try
        {
            await catalog.WriteAsync(
                transaction =>
                {
                    // Many small groups and some large ones: what is left of a log depends on which lies over which.
                    for (var changes = _random.Next(2) == 0 ? 1 : _random.Next(1, 14); changes > 0; changes--)
                    {
                        next.ChangeBoth(_random, transaction);
                    }

                    if (rollsBack)
                    {
                        throw new TimeoutException("rolls back");
                    }

                    _underWay = next;
                    return true;
                },
                CancellationToken.None);
            _acknowledged = next;
            _underWay = null;
        }
        catch (TimeoutException) when (rollsBack)
        {
            // As planned: nothing of it stands.
        }
        catch (CatalogException failure) when (failure.IsDiskFull && !_disk.IsDown)
        {
            // Nor of what found no room.
            _underWay = null;
        }
    }

    private async Task VerifyAsync(bool mayWrite)
    {
        _disk.Capacity = null;
        await VerifyReadOnlyAsync();
        await using var catalog = await OpenAsync();
        await ObserveAsync(catalog);
        if (mayWrite)
        {
            await ChangeAsync(catalog, mayRollBack: false);
            await ChangeAsync(catalog, mayRollBack: true);
            await ChangeAsync(catalog, mayRollBack: false);
            await ObserveAsync(catalog);
        }
    }

    // Whoever may not repair sees what the next one who may finds, and leaves everything as it is.
    private async Task VerifyReadOnlyAsync()
    {
        if (_kind == CatalogCrash.Creation)
        {
            return;
        }

        var before = (_disk.Steps, _counter.Value);
        await using (var catalog = await ReadOnlyCatalog.OpenAsync(NewPlace(), TimeProvider.System, CancellationToken.None))
        {
            await ObserveAsync(catalog);
        }

        if (before != (_disk.Steps, _counter.Value))
        {
            throw new InvalidDataException("Who only reads has changed the catalog's files.");
        }
    }

    private async Task ObserveAsync(ICatalog catalog)
    {
        var found = await catalog.ReadAsync(CatalogObserver.Observe, CancellationToken.None);
        var isUnderWay = _underWay is not null && AreEqual(found, _underWay.Rows);
        if (!isUnderWay && !AreEqual(found, _acknowledged.Rows))
        {
            throw new InvalidDataException(
                $"The catalog holds {found.Count} rows that are neither the {_acknowledged.Rows.Count} acknowledged " +
                $"ones nor those with the transaction under way.");
        }

        _acknowledged = CatalogModel.Of(found);
        _underWay = null;
    }

    private Task<LiteDbCatalog> OpenAsync() =>
        LiteDbCatalog.OpenAsync(NewPlace(), TimeProvider.System, mayCreate: true, CancellationToken.None);

    private LiteDbPlace NewPlace()
    {
        var place = SimulatedCatalogPlace.On(_disk, _counter, _loggedPagesMax, IsSmall ? ReserveSize : 0);
        return _weakness == CatalogWeakness.NoHash ? place with { CreateHash = () => new BlindHash() } : place;
    }

    private static bool AreEqual(ImmutableDictionary<string, string> left, ImmutableDictionary<string, string> right) =>
        left.Count == right.Count && left.All(row => right.TryGetValue(row.Key, out var value) && value == row.Value);

    private static Func<DiskStep, bool>? Skips(CatalogWeakness weakness) => weakness switch
    {
        CatalogWeakness.NoDataSync => step => step.File == SimulatedCatalogPlace.Data,
        CatalogWeakness.NoCommitSync => step => step is { File: SimulatedCatalogPlace.Log, Offset: > 0 },
        CatalogWeakness.NoResetSync => step => step is { File: SimulatedCatalogPlace.Log, Offset: 0 },
        _ => null,
    };

    private sealed class BlindHash : IWalHash
    {
        public void Append(ReadOnlySpan<byte> bytes)
        {
            // It does not look.
        }

        public void Finish(Span<byte> destination) => destination.Clear();

        public void Dispose()
        {
            // Nothing is held.
        }
    }
}
