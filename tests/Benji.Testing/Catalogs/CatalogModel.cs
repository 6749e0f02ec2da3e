using System.Collections.Immutable;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Testing.Catalogs;

/// <summary>What a catalog should hold, as texts by key, and random changes made to it and to a catalog alike.</summary>
internal sealed class CatalogModel
{
    private const int Volumes = 3;
    private const int Names = 24;
    private const int Blocks = 160;
    private const int Pages = 16;

    /// <summary>Everything, as <see cref="CatalogObserver"/> reads it.</summary>
    public ImmutableDictionary<string, string> Rows { get; private set; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Makes a model of a state that was observed.</summary>
    public static CatalogModel Of(ImmutableDictionary<string, string> rows) => new() { Rows = rows };

    /// <summary>Returns a model that goes its own way from here.</summary>
    public CatalogModel Copy() => Of(Rows);

    /// <summary>Changes the model and the catalog in the same random way.</summary>
    public void ChangeBoth(Random random, ICatalogTransaction catalog)
    {
        switch (random.Next(8))
        {
            case 0 or 1:
                PutVersion(random, catalog);
                break;
            case 2:
                RemoveVersion(random, catalog);
                break;
            case 3 or 4:
                PutBlocks(random, catalog);
                break;
            case 5:
                RemoveBlocks(random, catalog);
                break;
            case 6:
                PutPages(random, catalog);
                break;
            default:
                ChangeSmall(random, catalog);
                break;
        }
    }

    private void PutVersion(Random random, ICatalogTransaction catalog)
    {
        var number = random.Next(Names);
        var version = new VersionRecord
        {
            Id = new Guid(number, 1, 1, new byte[8]),
            Name = new VersionName($"volume{number % Volumes}", $"v{number}"),
            Date = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddTicks(random.NextInt64(1L << 40)),
            Size = random.Next(),
            BlockSize = BlockGeometry.BlockSizeDefault,
            Storage = "storage",
            Root = new PageId(HashOf(random.Next())),
            AllocatedBytes = 0,
        };
        // From rows that share a page to rows of several pages.
        version.Labels.Add("label", new string((char)('a' + random.Next(26)), 1 << random.Next(16)));
        if (Rows.ContainsKey(CatalogObserver.KeyOf(version)))
        {
            catalog.Versions.Replace(version);
        }
        else
        {
            catalog.Versions.Add(version);
        }

        Rows = Rows.SetItem(CatalogObserver.KeyOf(version), CatalogObserver.Show(version));
    }

    private void RemoveVersion(Random random, ICatalogTransaction catalog)
    {
        var number = random.Next(Names);
        var id = new Guid(number, 1, 1, new byte[8]);
        if (catalog.Versions.Find(id) is { } found)
        {
            catalog.Versions.Remove(id);
            Rows = Rows.Remove(CatalogObserver.KeyOf(found));
        }
    }

    private void PutBlocks(Random random, ICatalogTransaction catalog)
    {
        var blocks = Enumerable.Range(0, random.Next(1, 24)).Select(_ => RandomBlock(random)).DistinctBy(block => block.Id);
        var chosen = blocks.ToArray();
        catalog.BlockReferences.Put(chosen);
        Rows = Rows.SetItems(chosen.Select(block =>
            KeyValuePair.Create(CatalogObserver.KeyOf(block), CatalogObserver.Show(block))));
    }

    private void RemoveBlocks(Random random, ICatalogTransaction catalog)
    {
        var ids = Enumerable.Range(0, random.Next(1, 20)).Select(_ => new BlockId(HashOf(random.Next(Blocks)))).ToArray();
        var found = catalog.BlockReferences.Find(ids).OfType<BlockRow>();
        catalog.BlockReferences.Remove(ids);
        Rows = Rows.RemoveRange(found.Select(CatalogObserver.KeyOf));
    }

    private void PutPages(Random random, ICatalogTransaction catalog)
    {
        var content = new byte[BlockGeometry.PageSize];
        random.NextBytes(content.AsSpan(0, random.Next(content.Length + 1)));
        var page = new MapPageRow(
            new PageId(HashOf(random.Next(Pages))), "storage", 1, content, ReferenceState.Live, DateTimeOffset.UnixEpoch);
        if (random.Next(3) == 0)
        {
            catalog.BlockMaps.Remove([page.Id]);
            Rows = Rows.Remove(CatalogObserver.KeyOf(page));
        }
        else
        {
            catalog.BlockMaps.Put([page]);
            Rows = Rows.SetItem(CatalogObserver.KeyOf(page), CatalogObserver.Show(page));
        }
    }

    private void ChangeSmall(Random random, ICatalogTransaction catalog)
    {
        switch (random.Next(5))
        {
            case 0:
                ChangeIntent(random, catalog);
                break;
            case 1:
                ChangeAgeMark(random, catalog);
                break;
            case 2:
                ChangeClaim(random, catalog);
                break;
            case 3:
                ChangeReservation(random, catalog);
                break;
            default:
                PutBinding(random, catalog);
                break;
        }
    }

    private void ChangeAgeMark(Random random, ICatalogTransaction catalog)
    {
        var known = new KnownMark(
            CatalogObserver.Storages[random.Next(2)],
            RandomMark(random),
            (AgeMarkState)random.Next(4),
            DateTimeOffset.UnixEpoch.AddSeconds(random.Next()));
        if (random.Next(3) == 0)
        {
            catalog.AgeMarks.Remove([known.Mark]);
            Rows = Rows.Remove(CatalogObserver.KeyOf(known));
        }
        else
        {
            catalog.AgeMarks.Put(known);
            Rows = Rows.SetItem(CatalogObserver.KeyOf(known), CatalogObserver.Show(known));
        }
    }

    private void ChangeClaim(Random random, ICatalogTransaction catalog)
    {
        var claim = new DeletionClaim(
            CatalogObserver.Storages[random.Next(2)],
            RandomMark(random),
            [RandomMark(random)],
            [.. Enumerable.Range(0, random.Next(256)).Select(_ => new BlockId(HashOf(random.Next())))],
            [.. Enumerable.Range(0, random.Next(9)).Select(_ => new PageId(HashOf(random.Next())))]);
        if (random.Next(2) == 0)
        {
            catalog.DeletionClaims.Remove(claim.Storage);
            Rows = Rows.Remove(CatalogObserver.KeyOf(claim));
        }
        else
        {
            catalog.DeletionClaims.Put(claim);
            Rows = Rows.SetItem(CatalogObserver.KeyOf(claim), CatalogObserver.Show(claim));
        }
    }

    private void ChangeReservation(Random random, ICatalogTransaction catalog)
    {
        var reservation = new DeltaReservation(
            new Guid(random.Next(10), 3, 3, new byte[8]),
            "storage",
            random.Next(),
            [.. Enumerable.Range(0, random.Next(20)).Select(_ => new BlockId(HashOf(random.Next())))]);
        if (random.Next(2) == 0)
        {
            catalog.DeltaReservations.Remove(reservation.Id);
            Rows = Rows.Remove(CatalogObserver.KeyOf(reservation));
        }
        else
        {
            catalog.DeltaReservations.Put(reservation);
            Rows = Rows.SetItem(CatalogObserver.KeyOf(reservation), CatalogObserver.Show(reservation));
        }
    }

    private void PutBinding(Random random, ICatalogTransaction catalog)
    {
        var binding = new StorageBinding(
            CatalogObserver.Storages[random.Next(2)],
            new Guid(random.Next(), 4, 4, new byte[8]),
            random.Next(2) == 0,
            random.Next(2) == 0 ? null : DateTimeOffset.UnixEpoch.AddSeconds(random.Next()),
            random.Next(2) == 0);
        catalog.StorageBindings.Put(binding);
        Rows = Rows.SetItem(CatalogObserver.KeyOf(binding), CatalogObserver.Show(binding));
    }

    private void ChangeIntent(Random random, ICatalogTransaction catalog)
    {
        var number = random.Next(10);
        var intent = new Intent(
            IntentKind.Publish,
            new Guid(number, 2, 2, new byte[8]),
            new VersionName("volume", $"v{number}"),
            "storage",
            random.Next(),
            DateTimeOffset.UnixEpoch,
            Mark: random.Next(2) == 0 ? null : RandomMark(random))
        {
            Over = [.. Enumerable.Range(0, random.Next(3)).Select(_ => RandomMark(random))],
        };
        if (random.Next(2) == 0)
        {
            catalog.Intents.Put(intent);
            Rows = Rows.SetItem(CatalogObserver.KeyOf(intent), CatalogObserver.Show(intent));
        }
        else
        {
            catalog.Intents.Remove(intent.VersionId);
            Rows = Rows.Remove(CatalogObserver.KeyOf(intent));
        }
    }

    // The token makes the mark, so that each number has one.
    private static AgeMark RandomMark(Random random)
    {
        var number = random.Next(1, 30);
        return new AgeMark(number, new Guid(number, 5, 5, new byte[8]));
    }

    private static BlockRow RandomBlock(Random random) => new(
        new BlockId(HashOf(random.Next(Blocks))),
        "storage",
        BlockForm.Delta,
        0,
        random.Next(1 << 20),
        random.Next(),
        SampleLoans.Of(0, Enumerable.Range(0, random.Next(5)).Select(_ => new BlockId(HashOf(random.Next())))),
        null,
        random.Next(10) == 0,
        (ReferenceState)random.Next(4),
        DateTimeOffset.UnixEpoch);

    // Spread over the range, as real hashes are.
    private static Hash256 HashOf(int number) =>
        new(System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(number)));
}
