namespace Benji.Store.Storages;

/// <summary>What a storage says of an object without reading it.</summary>
/// <param name="Name">The object's name.</param>
/// <param name="Size">Its bytes.</param>
/// <param name="Modified">When it was last put, by the storage's clock, UTC.</param>
internal readonly record struct ObjectInfo(ObjectName Name, long Size, DateTimeOffset Modified);
