using Benji.Store.Model;
using Benji.Store.Posix;

namespace Benji.Store.Catalogs.LiteDb;

/// <summary>Says of a commit that failed why, and what became of its transaction.</summary>
internal static class FailedCommit
{
    /// <summary>Makes the exception.</summary>
    /// <param name="catalog">The catalog's name.</param>
    /// <param name="isOutcomeUnknown">True when nobody knows whether the transaction was kept.</param>
    /// <param name="failure">What went wrong.</param>
    public static CatalogException Of(string catalog, bool isOutcomeUnknown, Exception failure)
    {
        var outcome = isOutcomeUnknown
            ? "Whether this transaction was kept is unknown; the next one sees."
            : "Nothing of this transaction was kept.";
        var cause = failure is PosixException { IsFull: true } full ? $"the disk under {full.Path} is full" : failure.Message;
        return new CatalogException($"The catalog {catalog} could not be written: {cause}. {outcome}", failure)
        {
            IsDiskFull = failure is PosixException { LacksRoom: true },
        };
    }
}
