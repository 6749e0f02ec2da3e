using Benji.Store.Model;
using LiteDB;
using LiteDB.Engine;

namespace Benji.Store.Catalogs.LiteDb.Rows;

/// <summary>The few calls of LiteDB that the roles are made of, on plain documents, with its failures wrapped.</summary>
/// <remarks>For one transaction, on its thread.</remarks>
internal sealed class LiteDbRows(LiteEngine engine, LiteDbConditions conditions, string name, bool isReadOnly)
{
    private bool _isOver;

    /// <summary>True once anything was changed.</summary>
    public bool HasWritten { get; private set; }

    /// <summary>True for a transaction that makes the store larger: on a full disk it gets no room of the reserve.</summary>
    public bool IsGrowing { get; private set; }

    /// <summary>Says that the transaction makes the store larger.</summary>
    public void Grow() => IsGrowing = true;

    /// <summary>Finds the row of a key, or null.</summary>
    public BsonDocument? Find(string collection, BsonValue key) => Find(collection, LiteDbSchema.Key, key);

    /// <summary>Finds the first row whose indexed field has a value, or null.</summary>
    public BsonDocument? Find(string collection, string field, BsonValue value)
    {
        var query = new Query { Limit = 1 };
        query.Where.Add(conditions.Equal(field, value));
        return Read(collection, query) is [var row] ? row : null;
    }

    /// <summary>Finds the rows of distinct keys, in the order of the keys; keys without a row are passed over.</summary>
    public IReadOnlyList<BsonDocument> FindEach(string collection, IEnumerable<BsonValue> keys)
    {
        Invariant.Holds(!_isOver);
        var wanted = new BsonArray(keys);
        var query = new Query();
        query.Where.Add(conditions.In(LiteDbSchema.Key, wanted));
        return wanted.Count == 0 ? [] : Read(collection, query);
    }

    /// <summary>True when a collection has a row.</summary>
    public bool Any(string collection) => Read(collection, new Query { Limit = 1 }).Count > 0;

    /// <summary>Lists all rows in the order of an indexed field.</summary>
    public List<BsonDocument> List(string collection, string field)
    {
        var query = new Query { OrderBy = BsonExpression.Create($"$.{field}") };
        return Read(collection, query);
    }

    /// <summary>Lists the rows whose indexed field lies between two values, both included, in its order.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="field">The indexed field.</param>
    /// <param name="first">The least value.</param>
    /// <param name="last">The greatest value.</param>
    /// <param name="fields">The fields wanted, comma-separated, or null for all.</param>
    /// <param name="count">At most so many.</param>
    /// <param name="isDescending">True for the greatest first.</param>
    public List<BsonDocument> Range(
        string collection,
        string field,
        BsonValue first,
        BsonValue last,
        string? fields = null,
        int count = int.MaxValue,
        bool isDescending = false)
    {
        var query = Between(field, first, last);
        query.Order = isDescending ? Query.Descending : Query.Ascending;
        query.Limit = count;
        if (fields is not null)
        {
            query.Select = BsonExpression.Create(fields);
        }

        return Read(collection, query);
    }

    /// <summary>Reads the rows whose indexed field lies between two values, both included, in its order, as they are asked
    /// for: nothing is changed meanwhile.</summary>
    public IEnumerable<BsonDocument> Walk(string collection, string field, BsonValue first, BsonValue last) =>
        Walk(collection, Between(field, first, last));

    /// <summary>Adds rows whose keys are not there.</summary>
    public void Add(string collection, IEnumerable<BsonDocument> rows) =>
        Write(() => engine.Insert(collection, rows, BsonAutoId.ObjectId));

    /// <summary>Adds rows or replaces those of the same keys.</summary>
    public void Put(string collection, params IEnumerable<BsonDocument> rows) =>
        Write(() => engine.Upsert(collection, rows, BsonAutoId.ObjectId));

    /// <summary>Replaces rows; returns how many were there.</summary>
    public int Replace(string collection, params IEnumerable<BsonDocument> rows) =>
        Write(() => engine.Update(collection, rows));

    /// <summary>Removes rows by key; returns how many were there.</summary>
    public int Remove(string collection, params IEnumerable<BsonValue> keys) =>
        Write(() => engine.Delete(collection, keys));

    /// <summary>Refuses every later call: the transaction is over.</summary>
    public void End() => _isOver = true;

    private List<BsonDocument> Read(string collection, Query query) => [.. Walk(collection, query)];

    private IEnumerable<BsonDocument> Walk(string collection, Query query)
    {
        using var reader = Call(() => engine.Query(collection, query));
        while (Call(reader.Read))
        {
            yield return reader.Current.AsDocument;
        }
    }

    private Query Between(string field, BsonValue first, BsonValue last)
    {
        var query = new Query { OrderBy = BsonExpression.Create($"$.{field}") };
        query.Where.Add(conditions.Between(field, first, last));
        return query;
    }

    private int Write(Func<int> change)
    {
        Invariant.Holds(!isReadOnly);
        HasWritten = true;
        return Call(change);
    }

    private T Call<T>(Func<T> call)
    {
        Invariant.Holds(!_isOver);
        try
        {
            return call();
        }
#pragma warning disable CA1031 // A damaged page makes LiteDB throw anything, from its own exception to an index out of range.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            throw CatalogDamage.OfEngine($"The catalog {name} could not be read or written", failure);
        }
    }
}
