using Benji.Testing;
using Xunit;

namespace Benji.Tests.Cli.Configuration;

/// <summary>Keeps docs/configuration.md true.</summary>
public sealed class ConfigurationPageTests
{
    private static readonly string Page = File.ReadAllText(Repository.PathOf("docs/configuration.md"));

    [Fact]
    public void TheExampleIsReadAndMeansTheDefaults()
    {
        var fake = new FakeSurroundings();
        fake.Files["/etc/benji/key"] = Convert.ToBase64String(new byte[32]);
        var loaded = fake.ReadText(Page.Split("```yaml\n")[1].Split("```")[0]);
        Assert.Empty(loaded.Warnings);
        Assert.Equal("/var/lib/benji/catalog.db", loaded.Store.CatalogPath);
        Assert.Equal("/var/lib/benji/overlays", loaded.Store.OverlayDirectory);
        Assert.Equal(32, loaded.Store.Storages[0].Key!.MasterKey!.Length);

        fake.Files["/etc/benji.yaml"] =
            "configurationVersion: 1\ndatabaseEngine: litedb:///c.db\nstorages: [{name: s, module: file, configuration: {path: /s}}]";
        var defaults = fake.Read("/etc/benji.yaml").Store;
        Assert.Equal(defaults.BlockSize, loaded.Store.BlockSize);
        Assert.Equal(defaults.DisallowRemoveWhenYounger, loaded.Store.DisallowRemoveWhenYounger);
        Assert.Equal(defaults.CleanupGracePeriod, loaded.Store.CleanupGracePeriod);
    }
}
