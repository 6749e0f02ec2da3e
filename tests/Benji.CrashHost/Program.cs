using System.Globalization;
using System.Text;
using Benji.CrashHost;
using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Sources;
using Microsoft.Extensions.Logging.Abstractions;

// Benji.CrashHost DIRECTORY KILL-AT backup IMAGE VOLUME VERSION | restore VERSION TARGET | scrub VERSION | remove VERSION | cleanup
//     | rebuild | create VERSION OVERLAY | discard OVERLAY | promote OVERLAY VERSION | write OVERLAY OFFSET TEXT
// Runs one operation on the store in DIRECTORY and dies at point KILL-AT; 0 never dies. Prints the points it passed.
var points = new KillPoints(int.Parse(args[1], CultureInfo.InvariantCulture));
var options = new StoreOptions
{
    CatalogPath = Path.Combine(args[0], "catalog.db"),
    OverlayDirectory = Path.Combine(args[0], "overlays"),
    Storages = [new StorageOptions { Name = "main", Path = Path.Combine(args[0], "storage") }],
    DefaultStorage = "main",
    Sources = new SourceOpener(IoOptions.Default),
    Workers = 1,
};
var parts = new StoreParts
{
    WrapStorage = storage => new KillingStorage(storage, points),
    WrapCatalog = catalog => new KillingCatalog(catalog, points),
};
var logging = NullLoggerFactory.Instance;
if (args[2] == "rebuild")
{
    await StoreRebuild.RunAsync(
        options,
        parts,
        new RebuildRequest { Force = true },
        NullLogger.Instance,
        TimeProvider.System,
        NoProgress.Instance,
        default);
    Console.WriteLine(points.Passed);
    return 0;
}

await using var store = await BenjiStore.OpenAsync(options, parts, StoreUse.Create, logging, TimeProvider.System, default);
switch (args[2])
{
    case "backup":
        await store.BackupAsync(
            new BackupRequest { Source = args[3], Volume = args[4], Version = args[5] }, NoProgress.Instance);
        break;
    case "restore":
        var restored = await store.RestoreAsync(
            new RestoreRequest { Version = args[3], Target = args[4] }, NoProgress.Instance);
        Invariant.Holds(restored.Damage.Count == 0);
        break;
    case "scrub":
        var scrubbed = await store.ScrubAsync(
            new ScrubRequest { Version = args[3], IsDeep = true }, NoProgress.Instance);
        Invariant.Holds(scrubbed.Damage.Count == 0);
        break;
    case "remove":
        await store.RemoveAsync(new RemoveRequest { Versions = [args[3]], Force = true });
        break;
    case "cleanup":
        await store.CleanupAsync(new CleanupRequest { OlderThan = TimeSpan.Zero }, NoProgress.Instance);
        break;
    case "create":
        await store.CreateOverlayAsync(args[3], args[4]);
        break;
    case "discard":
        await store.RemoveOverlaysAsync(new OverlayRemoveRequest { Overlays = [args[3]], Force = true });
        break;
    case "promote":
        await store.PromoteAsync(new PromoteRequest { Overlay = args[3], Version = args[4] }, NoProgress.Instance);
        break;
    case "write":
        var images = store.OpenImages();
        var overlay = await images.FindAsync(args[3], default);
        await using (var image = await images.OpenOverlayAsync(overlay!, default))
        {
            await image.WriteAsync(long.Parse(args[4], CultureInfo.InvariantCulture), Encoding.ASCII.GetBytes(args[5]), default);
        }

        break;
    default:
        throw new ArgumentException($"There is no operation {args[2]}.");
}

Console.WriteLine(points.Passed);
return 0;
