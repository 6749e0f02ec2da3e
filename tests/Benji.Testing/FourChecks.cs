using Benji.Store.Model;

namespace Benji.Testing;

/// <summary>The four checks after every crash and fault: versions equal their sources, nothing else is visible, a deep scrub is
/// clean, and cleanup leaves exactly what is referenced.</summary>
public static class FourChecks
{
    /// <summary>Runs the four checks.</summary>
    /// <param name="store">The store.</param>
    /// <param name="expected">The published versions with their bytes.</param>
    public static async Task RunAsync(StoreFixture store, IReadOnlyDictionary<VersionName, byte[]> expected)
    {
        var listed = (await (await store.StoreAsync()).ListAsync(null)).Select(version => version.Name.ToString()).Order();
        var names = expected.Keys.Select(name => name.ToString()).Order();
        Check(listed.SequenceEqual(names), $"listed {string.Join(' ', listed)}, expected {string.Join(' ', names)}");
        foreach (var (name, content) in expected)
        {
            Check((await store.RestoreAsync(name)).AsSpan().SequenceEqual(content), $"{name} differs from its source");
            var scrub = await store.DeepScrubAsync(name);
            Check(scrub.Damage.Count == 0, $"{name} is damaged: {string.Join(' ', scrub.Damage)}");
            Check(scrub.Version.Status == VersionStatus.Valid, $"{name} is {scrub.Version.Status}");
        }

        // Orphans are adopted by the first run and deleted by one that begins after them.
        await store.CleanupAsync();
        store.Clock.Advance(TimeSpan.FromSeconds(1));
        await store.CleanupAsync();
        var before = store.Objects();
        store.Clock.Advance(TimeSpan.FromSeconds(1));
        var again = await store.CleanupAsync();
        Check(again.ObjectsDeleted == 0 && again.ObjectsWaiting == 0, $"a third cleanup finds more: {again}");
        Check(before.SequenceEqual(store.Objects()), "a third cleanup changes the storage");
        foreach (var (name, content) in expected)
        {
            Check((await store.RestoreAsync(name)).AsSpan().SequenceEqual(content), $"{name} was hurt by cleanup");
        }
    }

    private static void Check(bool condition, string message)
    {
        if (!condition)
        {
            throw new InvalidOperationException($"Four checks: {message}.");
        }
    }
}
