using Benji.Store.Blocks.Age;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Running;

/// <summary>How an intent ends, each way in one transaction, for the run itself and for whoever finishes what it left.</summary>
/// <remarks>Format: docs/format.md, "Order of writes".</remarks>
internal static class IntentLedger
{
    /// <summary>Adds the version whose manifest and age mark are in the storage.</summary>
    public static void Publish(ICatalogTransaction transaction, Intent intent, VersionRecord version, DateTimeOffset now)
    {
        Invariant.Holds(version.Id == intent.VersionId && intent.Mark is not null);
        if (intent.OverlayId is { } overlay)
        {
            transaction.Overlays.Remove(overlay);
        }

        transaction.Versions.Add(version);
        End(transaction, intent, now);
    }

    /// <summary>Removes the version whose manifest is gone, and whose age mark is in the storage.</summary>
    public static void Remove(ICatalogTransaction transaction, Intent intent, DateTimeOffset now)
    {
        Invariant.Holds(intent.Mark is not null);
        transaction.Versions.Remove(intent.VersionId);
        End(transaction, intent, now);
    }

    /// <summary>Forgets a version that never came: no manifest of it is in the storage, and its rows are in doubt.</summary>
    public static void Forget(ICatalogTransaction transaction, Intent intent, DateTimeOffset now)
    {
        transaction.Intents.Remove(intent.VersionId);
        AgeLedger.Doubt(transaction, intent.Storage, intent.Began);
        if (intent.Mark is { } mark)
        {
            AgeLedger.GiveUp(transaction, intent.Storage, mark, now);
        }
    }

    private static void End(ICatalogTransaction transaction, Intent intent, DateTimeOffset now)
    {
        transaction.Intents.Remove(intent.VersionId);
        AgeLedger.Confirm(transaction, intent.Storage, intent.Mark!.Value, intent.Over, now);
    }
}
