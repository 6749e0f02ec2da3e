using System.Runtime.InteropServices;
using LiteDB.Engine;

namespace Benji.Store.Catalogs.LiteDb;

/// <summary>Ends a transaction of which nothing is kept.</summary>
internal static class EngineRollback
{
    /// <summary>Rolls the transaction of this thread back; throws nothing.</summary>
    public static void Run(LiteEngine engine)
    {
        try
        {
            engine.Rollback();
        }
#pragma warning disable CA1031 // Where a failure led here, it is on its way up; a second one must not replace it.
        catch (Exception)
#pragma warning restore CA1031
        {
            // The finalizer of a LiteDB transaction that could not be rolled back ends the process: it must never run.
            GCHandle.Alloc(engine);
        }
    }
}
