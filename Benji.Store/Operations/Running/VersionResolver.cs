using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Running;

/// <summary>Finds the version that a user means: an exact name, <c>volume/latest</c>, a prefix, or a name alone.</summary>
/// <remarks>An exact name beats a prefix; an ambiguous one is refused with the candidates. Format: docs/format.md, "Names".</remarks>
internal static class VersionResolver
{
    private const int CandidatesShownMax = 5;

    /// <summary>Finds the version.</summary>
    /// <exception cref="NotFoundException">No version fits.</exception>
    /// <exception cref="UsageException">Several fit, or no version can have such a name.</exception>
    public static VersionRecord Resolve(ICatalogTransaction transaction, string text)
    {
        if (!Names.IsOfLetters(text))
        {
            throw new UsageException(
                $"{Names.Show(text)} is not the name of a version. Filters and patterns are not supported: name it as " +
                "volume/version, as a beginning of that, or as volume/latest.");
        }

        if (VersionName.TryParse(text, out var exact) && transaction.Versions.Find(exact) is { } found)
        {
            return found;
        }

        return ResolveLatest(transaction, text) ?? ResolvePart(transaction, text);
    }

    private static VersionRecord? ResolveLatest(ICatalogTransaction transaction, string text)
    {
        const string suffix = "/" + VersionName.Latest;
        if (!text.EndsWith(suffix, StringComparison.Ordinal) || !Names.IsVolume(text[..^suffix.Length]))
        {
            return null;
        }

        var volume = text[..^suffix.Length];
        return transaction.Versions.FindLatest(volume, status: null)
            ?? throw new NotFoundException(
                $"Volume {Names.Show(volume)} has no version{Nearest(volume, Volumes(transaction))}; 'benji ls' lists what there is.");
    }

    // A text without a slash may be a version's name alone, or a prefix of one; a text with a slash is a prefix of the whole.
    private static VersionRecord ResolvePart(ICatalogTransaction transaction, string text)
    {
        var slash = text.LastIndexOf('/');
        var all = transaction.Versions.List(slash > 0 && Names.IsVolume(text[..slash]) ? text[..slash] : null);
        if (slash < 0)
        {
            var named = all.Where(version => version.Name.Version == text).ToList();
            if (named.Count > 0)
            {
                return Single(named, text);
            }
        }

        var fitting = text.Length == 0
            ? []
            : all.Where(version => Fits(version.Name, text, isWhole: slash >= 0)).ToList();
        return fitting.Count > 0
            ? Single(fitting, text)
            : throw new NotFoundException(
                $"There is no version {Names.Show(text)}{NearestOf(transaction, text, all)}; 'benji ls' lists what there is.");
    }

    // The name of a version that is near, or else of a volume.
    private static string NearestOf(ICatalogTransaction transaction, string text, IReadOnlyList<VersionRecord> all)
    {
        var near = Nearest(text, all.Select(version => version.Name.ToString()));
        var slash = text.LastIndexOf('/');
        return near.Length > 0 ? near : Nearest(slash > 0 ? text[..slash] : text, Volumes(transaction));
    }

    private static IEnumerable<string> Volumes(ICatalogTransaction transaction) =>
        transaction.Versions.List(volume: null).Select(version => version.Name.Volume).Distinct();

    private static string Nearest(string text, IEnumerable<string> names) =>
        NearestName.Of(text, names) is { } nearest ? $", but {Names.Show(nearest)}" : "";

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
