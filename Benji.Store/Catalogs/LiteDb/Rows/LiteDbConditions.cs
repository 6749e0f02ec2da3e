using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Rows;

/// <summary>The conditions by which rows are found, each parsed once: parsing costs as much as a look-up.</summary>
/// <remarks>For one thread at a time. LiteDB takes a condition's values when a query starts, so that it can be asked for
/// again, with other values, while the rows of that query are still being read.</remarks>
internal sealed class LiteDbConditions
{
    private readonly Dictionary<string, BsonExpression> _parsed = [];

    /// <summary>A field has a value.</summary>
    public BsonExpression Equal(string field, BsonValue value) => Parse($"$.{field} = @0", value);

    /// <summary>A field has one of some values.</summary>
    public BsonExpression In(string field, BsonArray values) => Parse($"$.{field} IN @0", values);

    /// <summary>A field lies between two values, both included.</summary>
    public BsonExpression Between(string field, BsonValue first, BsonValue last) =>
        Parse($"$.{field} BETWEEN @0 AND @1", first, last);

    private BsonExpression Parse(string text, params ReadOnlySpan<BsonValue> values)
    {
        if (!_parsed.TryGetValue(text, out var condition))
        {
            condition = BsonExpression.Create(text, values.ToArray());
            _parsed.Add(text, condition);
        }

        for (var i = 0; i < values.Length; i++)
        {
            condition.Parameters[$"{i}"] = values[i];
        }

        return condition;
    }
}
