using Benji.Store.Model;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Rows;

/// <summary>Tells damage of the catalog from its failures, and names the way out: the storages hold all that it holds.</summary>
internal static class CatalogDamage
{
    private const string WayOut =
        "Make the catalog anew from the storages with 'benji rebuild --force'; they hold all that is needed.";

    /// <summary>Unpacks a row; whatever its bytes make the unpacking throw is damage of the catalog.</summary>
    /// <param name="collection">Where the row is from.</param>
    /// <param name="row">The row.</param>
    /// <param name="unpack">Looks at nothing but the row.</param>
    /// <exception cref="CatalogException">The row is damaged.</exception>
    public static T Unpack<T>(string collection, BsonDocument row, Func<BsonDocument, T> unpack)
    {
        try
        {
            return unpack(row);
        }
#pragma warning disable CA1031 // A damaged row makes the types of its values throw anything, from a wrong name to a null.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            throw OfRow(collection, fault);
        }
    }

    /// <summary>Refuses a row whose values are each right and do not go together.</summary>
    /// <exception cref="CatalogException">They do not.</exception>
    public static void Require(bool isSound, string what)
    {
        if (!isSound)
        {
            throw new CatalogException($"A row of the catalog has {what}.");
        }
    }

    /// <summary>Refuses a row whose second key is not what its content says.</summary>
    /// <exception cref="CatalogException">It is not.</exception>
    public static void RequireKey(BsonDocument row, string field, BsonValue key) =>
        Require(key.CompareTo(row[field]) == 0, $"a key '{field}' that is not its content's");

    /// <summary>Returns the failure for a row that does not make sense.</summary>
    public static CatalogException OfRow(string collection, Exception fault) =>
        fault is CatalogException { IsDamage: true } known
            ? known
            : new CatalogException($"A row of the catalog's {collection} is damaged: {fault.Message} {WayOut}", fault)
            {
                IsDamage = true,
            };

    /// <summary>Returns what a failure of LiteDB means: that the disk failed, or that what it gave makes no sense.</summary>
    /// <param name="what">What could not be done, without a point at its end.</param>
    /// <param name="failure">What was thrown.</param>
    public static CatalogException OfEngine(string what, Exception failure)
    {
        var isDamage = !HasCause<IOException>(failure) && failure is not OutOfMemoryException;
        return isDamage
            ? new CatalogException($"{what}, it is damaged: {failure.Message}. {WayOut}", failure) { IsDamage = true }
            : new CatalogException($"{what}: {failure.Message}.", failure);
    }

    private static bool HasCause<T>(Exception failure)
        where T : Exception =>
        failure is T || (failure.InnerException is { } inner && HasCause<T>(inner));
}
