using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Testing.Catalogs;

/// <summary>Reads all that a catalog holds in every way it can be read, and fails when two ways differ.</summary>
internal static class CatalogObserver
{
    /// <summary>The storages whose own rows it reads: others would not be found.</summary>
    public static IReadOnlyList<string> Storages { get; } = ["storage", "other"];

    /// <summary>The key of a version in a model.</summary>
    public static string KeyOf(VersionRecord version) => $"version {version.Id:N}";

    /// <summary>The key of a block.</summary>
    public static string KeyOf(BlockRow block) => $"block {block.Id}";

    /// <summary>The key of a page.</summary>
    public static string KeyOf(MapPageRow page) => $"page {page.Id}";

    /// <summary>The key of an intent.</summary>
    public static string KeyOf(Intent intent) => $"intent {intent.VersionId:N}";

    /// <summary>The key of an age mark.</summary>
    public static string KeyOf(KnownMark known) => $"mark {known.Mark.Token:N}";

    /// <summary>The key of a deletion claim.</summary>
    public static string KeyOf(DeletionClaim claim) => $"claim {claim.Storage}";

    /// <summary>The key of a reservation.</summary>
    public static string KeyOf(DeltaReservation reservation) => $"reservation {reservation.Id:N}";

    /// <summary>The key of a storage's binding.</summary>
    public static string KeyOf(StorageBinding binding) => $"binding {binding.Storage}";

    /// <summary>A version as text.</summary>
    public static string Show(VersionRecord version) => string.Create(
        CultureInfo.InvariantCulture,
        $"{version.Name} {version.Date.UtcTicks} {version.Size} {version.Root} {string.Join(',', version.Labels)}");

    /// <summary>A block as text.</summary>
    public static string Show(BlockRow block) => string.Create(
        CultureInfo.InvariantCulture,
        $"{block.Allocated} {block.StoredLength} {block.IsInvalid} {block.State} {string.Join(',', block.Lenders)}");

    /// <summary>A page as text.</summary>
    public static string Show(MapPageRow page) => Convert.ToHexStringLower(SHA256.HashData(page.Content));

    /// <summary>An intent as text.</summary>
    public static string Show(Intent intent) => string.Create(
        CultureInfo.InvariantCulture, $"{intent.Name} {intent.Fencing} {intent.Mark} {string.Join(',', intent.Over)}");

    /// <summary>An age mark as text.</summary>
    public static string Show(KnownMark known) => string.Create(
        CultureInfo.InvariantCulture, $"{known.Storage} {known.Mark} {known.State} {known.Since.UtcTicks}");

    /// <summary>A deletion claim as text.</summary>
    public static string Show(DeletionClaim claim) =>
        $"{claim.Mark} {string.Join(',', claim.Over)} {string.Join(',', claim.Blocks)} {string.Join(',', claim.Pages)}";

    /// <summary>A reservation as text.</summary>
    public static string Show(DeltaReservation reservation) => string.Create(
        CultureInfo.InvariantCulture,
        $"{reservation.Storage} {reservation.Fencing} {string.Join(',', reservation.Blocks)}");

    /// <summary>A storage's binding as text.</summary>
    public static string Show(StorageBinding binding) => string.Create(
        CultureInfo.InvariantCulture,
        $"{binding.StoreId} {binding.IsEncrypted} {binding.DoubtFrom?.UtcTicks} {binding.HoldsStrays}");

    /// <summary>Reads everything.</summary>
    /// <exception cref="InvalidDataException">Two ways of reading the same differ.</exception>
    public static ImmutableDictionary<string, string> Observe(ICatalogTransaction catalog)
    {
        var rows = ImmutableDictionary.CreateBuilder<string, string>();
        ObserveVersions(catalog.Versions, rows);
        ObserveBlocks(catalog.BlockReferences, rows);

        var pageIds = catalog.BlockMaps.Scan(null, int.MaxValue).Select(row => row.Id).ToArray();
        foreach (var (id, page) in pageIds.Zip(catalog.BlockMaps.Find(pageIds)))
        {
            Check(page is not null, $"page {id} is scanned and not found");
            rows.Add(KeyOf(page!), Show(page!));
        }

        foreach (var intent in catalog.Intents.List())
        {
            rows.Add(KeyOf(intent), Show(intent));
        }

        ObserveAge(catalog, rows);
        return rows.ToImmutable();
    }

    private static void ObserveAge(ICatalogTransaction catalog, ImmutableDictionary<string, string>.Builder rows)
    {
        foreach (var storage in Storages)
        {
            var marks = catalog.AgeMarks.List(storage);
            Check(
                marks.Select(known => known.Mark.Number).Order().SequenceEqual(marks.Select(known => known.Mark.Number)),
                "the order of age marks");
            foreach (var known in marks)
            {
                rows.Add(KeyOf(known), Show(known));
            }

            if (catalog.DeletionClaims.Find(storage) is { } claim)
            {
                rows.Add(KeyOf(claim), Show(claim));
            }

            if (catalog.StorageBindings.Find(storage) is { } binding)
            {
                rows.Add(KeyOf(binding), Show(binding));
            }
        }

        foreach (var reservation in catalog.DeltaReservations.List())
        {
            rows.Add(KeyOf(reservation), Show(reservation));
        }
    }

    private static void ObserveVersions(IVersions versions, ImmutableDictionary<string, string>.Builder rows)
    {
        var all = versions.List(null);
        foreach (var version in all)
        {
            var shown = Show(version);
            Check(Shown(versions.Find(version.Id)) == shown, $"version {version.Id} by its id");
            Check(Shown(versions.Find(version.Name)) == shown, $"version {version.Name} by its name");
            rows.Add(KeyOf(version), shown);
        }

        foreach (var own in all.GroupBy(version => version.Name.Volume))
        {
            Check(
                versions.List(own.Key).Select(Show).SequenceEqual(own.Select(Show)), $"the versions of {own.Key}");
            Check(Shown(versions.FindLatest(own.Key, null)) == Show(own.Last()), $"the latest version of {own.Key}");
        }

        Check(
            all.Select(version => (version.Name.Volume, version.Date)).Order().SequenceEqual(
                all.Select(version => (version.Name.Volume, version.Date))),
            "the order of versions");
    }

    private static void ObserveBlocks(IBlockReferences blocks, ImmutableDictionary<string, string>.Builder rows)
    {
        var all = blocks.Scan(null, int.MaxValue);
        var found = blocks.Find([.. all.Select(block => block.Id)]);
        foreach (var (scanned, looked) in all.Zip(found))
        {
            Check(looked is not null && Show(looked) == Show(scanned), $"block {scanned.Id} by its id");
            rows.Add(KeyOf(scanned), Show(scanned));
        }

        var invalid = all.Where(block => block.IsInvalid).Select(block => block.Id.ToString());
        Check(
            blocks.ListInvalid().Select(id => id.ToString()).Order(StringComparer.Ordinal).SequenceEqual(invalid),
            "the list of invalid blocks");
    }

    private static string? Shown(VersionRecord? version) => version is null ? null : Show(version);

    private static void Check(bool isTrue, string what)
    {
        if (!isTrue)
        {
            throw new InvalidDataException($"The catalog differs by the way it is read: {what}.");
        }
    }
}
