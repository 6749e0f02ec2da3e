namespace Benji.Store.Storages.Wrappers;

/// <summary>How much a storage was used: calls that succeeded and the objects' bytes that they moved.</summary>
/// <param name="Reads">Reads of an object or a range of it.</param>
/// <param name="ReadBytes">Bytes that reads returned.</param>
/// <param name="Writes">Objects written: put, added to a batch, created.</param>
/// <param name="WrittenBytes">Bytes of those objects.</param>
/// <param name="Commits">Batches committed.</param>
/// <param name="Finds">Objects looked up, found or not.</param>
/// <param name="Listed">Objects listed.</param>
/// <param name="Deletes">Names deleted, whether or not there was an object.</param>
/// <param name="Failures">Calls of any kind that failed; a missing object is one, a cancelled call is not.</param>
internal readonly record struct StorageCounts(
    long Reads,
    long ReadBytes,
    long Writes,
    long WrittenBytes,
    long Commits,
    long Finds,
    long Listed,
    long Deletes,
    long Failures);
