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
    /// <exception cref="UsageException">Several fit.</exception>
    public static VersionRecord Resolve(ICatalogTransaction transaction, string text)
    {
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
            ?? throw new NotFoundException($"Volume {Names.Show(volume)} has no version; 'benji ls' lists what there is.");
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
            : throw new NotFoundException($"There is no version {Names.Show(text)}; 'benji ls' lists what there is.");
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
