using Benji.Store.Model;
using LiteDB;
using LiteDB.Engine;

namespace Benji.Store.Catalogs.LiteDb.Rows;

/// <summary>The collections of the catalog and the number of their layout.</summary>
internal static class LiteDbSchema
{
    /// <summary>The layout that this program reads and writes.</summary>
    public const int Version = 3;

    /// <summary>Single values: the layout's number, the last fencing number.</summary>
    public const string Meta = "meta";

    /// <summary>Versions by id.</summary>
    public const string Versions = "versions";

    /// <summary>Map pages by id.</summary>
    public const string Pages = "pages";

    /// <summary>Stored blocks in groups, by the first bits of their ids.</summary>
    public const string Blocks = "blocks";

    /// <summary>The ids of damaged blocks.</summary>
    public const string InvalidBlocks = "invalid_blocks";

    /// <summary>Overlays by id.</summary>
    public const string Overlays = "overlays";

    /// <summary>Leases by fencing number.</summary>
    public const string Leases = "leases";

    /// <summary>Intents by version id.</summary>
    public const string Intents = "intents";

    /// <summary>Deletions under way by configured name of the storage.</summary>
    public const string Claims = "claims";

    /// <summary>Reservations of deltas by their ids.</summary>
    public const string Reservations = "reservations";

    /// <summary>Age marks by token.</summary>
    public const string AgeMarks = "age_marks";

    /// <summary>Storages by configured name.</summary>
    public const string Storages = "storages";

    /// <summary>Every row's key.</summary>
    public const string Key = "_id";

    /// <summary>Every row's content, packed by its role.</summary>
    public const string Value = "v";

    /// <summary>A row's second key: a version's full name, an overlay's base and name, a lease's resource.</summary>
    public const string Name = "n";

    /// <summary>A version's volume and date, in the order of listings.</summary>
    public const string Order = "d";

    private const string VersionKey = "schema";

    /// <summary>Makes the collections and indexes in an empty database.</summary>
    public static void Create(LiteEngine engine)
    {
        // Nothing but our own call after each commit moves pages to the data stream.
        engine.Pragma("CHECKPOINT", 0);
        engine.EnsureIndex(Versions, Name, BsonExpression.Create($"$.{Name}"), unique: true);
        engine.EnsureIndex(Versions, Order, BsonExpression.Create($"$.{Order}"), unique: true);
        engine.EnsureIndex(Overlays, Name, BsonExpression.Create($"$.{Name}"), unique: true);
        engine.EnsureIndex(Leases, Name, BsonExpression.Create($"$.{Name}"), unique: false);
        var version = new BsonDocument { [Key] = VersionKey, [Value] = Version };
        engine.Insert(Meta, [version], BsonAutoId.ObjectId);
    }

    /// <summary>Refuses a database whose layout is another.</summary>
    /// <exception cref="ConfigurationException">A newer program made it, or it is another program's.</exception>
    /// <exception cref="CatalogException">It is damaged, or one from before the first release.</exception>
    public static void Check(LiteDbRows rows, string name)
    {
        var found = rows.Find(Meta, VersionKey)?[Value];
        if (found is null && !rows.Any(Storages) && !rows.Any(Versions))
        {
            throw new ConfigurationException(
                $"{name} is not a catalog but another program's database, and is left as it is: configure another place.");
        }

        if (found is null || !found.IsInt32 || found.AsInt32 < 1)
        {
            throw CatalogDamage.OfRow(Meta, new CatalogException("it holds no layout number."));
        }

        if (found.AsInt32 > Version)
        {
            throw new ConfigurationException(
                $"The catalog {name} has layout {found.AsInt32} and this program knows layouts up to {Version}: " +
                "use the program that wrote it, or a newer one.");
        }

        if (found.AsInt32 < Version)
        {
            throw new CatalogException(
                $"The catalog {name} has layout {found.AsInt32}, from before the first release: make it anew from the " +
                "storage with 'benji rebuild --force'.");
        }
    }
}
