using System.Globalization;

namespace Benji.Store.Model;

/// <summary>An object of a storage whose presence says that the storage is at least as new as one change of the catalog.</summary>
/// <param name="Number">One more than the highest that the catalog knew; for people and messages only.</param>
/// <param name="Token">A random id; it makes the mark.</param>
internal readonly record struct AgeMark(long Number, Guid Token)
{
    /// <summary>Returns the mark as the last part of its object's name.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number:D16}-{Token:N}");
}
