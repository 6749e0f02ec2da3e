namespace Benji.Store.Storages;

/// <summary>What a storage can do, as data, so that nobody asks for its type.</summary>
/// <param name="Description">Where it is, for messages: a path or an address without secrets.</param>
/// <param name="ReadsMax">Reads worth having under way at once.</param>
/// <param name="WritesMax">Writes worth having under way at once.</param>
/// <param name="BatchBytes">Bytes that one batch should gather before it commits.</param>
/// <param name="BatchObjects">Objects that one batch should gather before it commits.</param>
/// <param name="ReadsCompleteInline">True when a read does its work before it returns (a local disk), so that parallel
/// reads need a worker each.</param>
internal sealed record StorageTraits(
    string Description,
    int ReadsMax,
    int WritesMax,
    long BatchBytes,
    int BatchObjects,
    bool ReadsCompleteInline);
