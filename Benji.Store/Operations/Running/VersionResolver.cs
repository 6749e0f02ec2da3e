using System.Buffers;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Running;

/// <summary>Finds the version that a user means: an exact name, <c>volume/latest</c>, a prefix, or a name alone.</summary>
/// <remarks>An exact name beats a prefix; an ambiguous one is refused with the candidates. Format: docs/format.md, "Names".</remarks>
internal static class VersionResolver
{
    private const int CandidatesShownMax = 5;
    private const string LatestSuffix = "/" + VersionName.Latest;

    // None of these is part of a name; the filters of the Python program have one of them in every condition.
    private static readonly SearchValues<char> FilterMarks = SearchValues.Create("=<>\"'() ");

    /// <summary>Finds the version.</summary>
    /// <exception cref="NotFoundException">No version fits.</exception>
    /// <exception cref="UsageException">Several fit.</exception>
    public static VersionRecord Resolve(ICatalogTransaction transaction, string text) =>
        Single(FindFitting(transaction, text), text);

    /// <summary>Lists the versions of a volume, or those that a text fits.</summary>
    /// <param name="transaction">The catalog.</param>
    /// <param name="text">The name of a volume, or one or a beginning of a version's; null for all versions.</param>
    /// <returns>By volume, then date; none only when there are none at all.</returns>
    /// <exception cref="NotFoundException">Nothing fits.</exception>
    /// <exception cref="UsageException">It is a filter.</exception>
    public static IReadOnlyList<VersionRecord> List(ICatalogTransaction transaction, string? text)
    {
        if (text is null || Names.IsVolume(text))
        {
            var versions = transaction.Versions.List(text);
            if (text is null || versions.Count > 0)
            {
                return versions;
            }
        }

        return FindFitting(transaction, text);
    }

    private static List<VersionRecord> FindFitting(ICatalogTransaction transaction, string text)
    {
        if (VersionName.TryParse(text, out var exact) && transaction.Versions.Find(exact) is { } found)
        {
            return [found];
        }

        return FindLatest(transaction, text) is { } latest ? [latest] : FindParts(transaction, text);
    }

    private static VersionRecord? FindLatest(ICatalogTransaction transaction, string text) =>
        text.EndsWith(LatestSuffix, StringComparison.Ordinal) && Names.IsVolume(text[..^LatestSuffix.Length])
            ? transaction.Versions.FindLatest(text[..^LatestSuffix.Length], status: null)
            : null;

    // A text without a slash may be a version's name alone, or a prefix of one; a text with a slash is a prefix of the whole.
    private static List<VersionRecord> FindParts(ICatalogTransaction transaction, string text)
    {
        var slash = text.LastIndexOf('/');
        var all = transaction.Versions.List(slash > 0 && Names.IsVolume(text[..slash]) ? text[..slash] : null);
        if (slash < 0)
        {
            var named = all.Where(version => version.Name.Version == text).ToList();
            if (named.Count > 0)
            {
                return named;
            }
        }

        var fitting = text.Length == 0
            ? []
            : all.Where(version => Fits(version.Name, text, isWhole: slash >= 0)).ToList();
        return fitting.Count > 0 ? fitting : throw Refusal(transaction, text);
    }

    private static BenjiException Refusal(ICatalogTransaction transaction, string text)
    {
        if (text.AsSpan().ContainsAny(FilterMarks))
        {
            return new UsageException(
                $"{Names.Show(text)} is no name. Filters are not there yet: name a volume, a version or the beginning of one.");
        }

        var volume = text.Contains('/', StringComparison.Ordinal) ? text[..text.LastIndexOf('/')] : text;
        var versions = transaction.Versions.List(null);
        var volumes = versions.Select(version => version.Name.Volume).Distinct().ToList();
        var nearest = volumes.Contains(volume)
            ? NearestName.Of(
                text, versions.Where(version => version.Name.Volume == volume).Select(version => version.Name.ToString()))
            : NearestName.Of(volume, volumes) ?? NearestName.Of(text, volumes);
        var hint = nearest is null ? "" : $" Did you mean {Names.Show(nearest)}?";
        return new NotFoundException(
            $"There is no volume or version {Names.Show(text)}.{hint} 'benji ls' lists what there is.");
    }

    private static bool Fits(VersionName name, string text, bool isWhole) =>
        (isWhole ? name.ToString() : name.Version).StartsWith(text, StringComparison.Ordinal);

    private static VersionRecord Single(List<VersionRecord> versions, string text)
    {
        if (versions.Count == 1)
        {
            return versions[0];
        }

        var shown = string.Join(", ", versions.Take(CandidatesShownMax).Select(version => version.Name));
        var more = versions.Count > CandidatesShownMax ? $" and {versions.Count - CandidatesShownMax} more" : "";
        throw new UsageException($"{Names.Show(text)} fits {versions.Count} versions: {shown}{more}; give more of the name.");
    }
}
