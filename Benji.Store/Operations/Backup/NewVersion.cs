using System.Globalization;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Backup;

/// <summary>Chooses the name and the date of a version that is about to be made.</summary>
/// <remarks>Format: docs/format.md, "Names".</remarks>
internal static class NewVersion
{
    private const string NameFormat = "yyyyMMdd'T'HHmmss'Z'";

    /// <summary>Chooses both.</summary>
    /// <param name="transaction">The transaction that records the intent, which reserves the name.</param>
    /// <param name="volume">Its volume.</param>
    /// <param name="version">The wanted name; null for one after the date.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="AlreadyExistsException">The wanted name is taken.</exception>
    public static (VersionName Name, DateTimeOffset Date) Choose(
        ICatalogTransaction transaction, string volume, string? version, DateTimeOffset now)
    {
        var date = ChooseDate(transaction, volume, now);
        if (version is not null)
        {
            var wanted = new VersionName(volume, version);
            return IsFree(transaction, wanted)
                ? (wanted, date)
                : throw new AlreadyExistsException($"Version {wanted} exists already; choose another name.");
        }

        while (true)
        {
            var name = new VersionName(volume, date.UtcDateTime.ToString(NameFormat, CultureInfo.InvariantCulture));
            if (IsFree(transaction, name))
            {
                return (name, date);
            }

            date = date.AddSeconds(1);
        }
    }

    /// <summary>True when neither a version nor an intent has the name.</summary>
    public static bool IsFree(ICatalogTransaction transaction, VersionName name) =>
        transaction.Versions.Find(name) is null && transaction.Intents.List().All(intent => intent.Name != name);

    // A clock that steps back neither collides nor reorders: the new date is behind the newest by a second at least.
    private static DateTimeOffset ChooseDate(ICatalogTransaction transaction, string volume, DateTimeOffset now)
    {
        now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
        var newest = transaction.Versions.FindLatest(volume, status: null)?.Date;
        return newest is { } date && now < date.AddSeconds(1) ? date.AddSeconds(1) : now;
    }
}
