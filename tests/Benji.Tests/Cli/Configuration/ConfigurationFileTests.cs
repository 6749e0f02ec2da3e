using System.Text;
using Benji.Store.Model;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Cli.Configuration;

public sealed class ConfigurationFileTests
{
    private const string Full = """
        # Everything at once.
        configurationVersion: '1'
        logFile: log/benji.log
        blockSize: 65536
        hashFunction: BLAKE2b, digest_bits=256
        processName: benji
        disallowRemoveWhenYounger: 3
        cleanupGraceHours: 2
        databaseEngine: litedb:////var/lib/b/catalog.db
        defaultStorage: second
        ios:
          - name: disks
            module: file
            configuration: {simultaneousReads: 5, simultaneousWrites: 6}
          - {name: rbd, module: rbd, configuration: {cephConfigFile: /etc/ceph/ceph.conf}}
        storages:
          - name: first
            module: file
            configuration: &common
              path: data/first
          - name: second
            storageId: 2
            module: file
            configuration:
              path: /data/second
              activeTransforms: [fast, secret]
              simultaneousReads: 7
              simultaneousWrites: 8
              simultaneousRemovals: 9
              bandwidthRead: 1000000
              bandwidthWrite: 2000000
              consistencyCheckWrites: true
              hmac: {password: 'something long', kdfSalt: BBiZ+lIVSefMCdE4eOPX211n/04KY1M4c2SM/9XHUcA=, kdfIterations: 1000}
        transforms:
          - {name: fast, module: zstd, configuration: {level: 3}}
          - name: secret
            module: aes_256_gcm
            configuration:
              passwordFile: password
              kdfSalt: BBiZ+lIVSefMCdE4eOPX211n/04KY1M4c2SM/9XHUcA=
              kdfIterations: 1000
        nbd:
          blockCache: {directory: /tmp/cache, maximumSize: 1000}
          cowStore: {directory: /data/overlays}
        """;

    private readonly FakeSurroundings _fake = new();

    [Fact]
    public void EveryKeyOfTheOriginalIsRead()
    {
        _fake.Files["/etc/password"] = "a long password\n";
        var loaded = _fake.ReadText(Full);
        var store = loaded.Store;
        Assert.Equal("/etc/log/benji.log", loaded.LogFile);
        Assert.Equal("/var/lib/b/catalog.db", store.CatalogPath);
        Assert.Equal("/data/overlays", store.OverlayDirectory);
        Assert.Equal(65536, store.BlockSize);
        Assert.Equal(TimeSpan.FromDays(3), store.DisallowRemoveWhenYounger);
        Assert.Equal(TimeSpan.FromHours(2), store.CleanupGracePeriod);
        Assert.Equal("second", store.DefaultStorage);
        Assert.Equal("/etc/data/first", store.Storages[0].Path);
        Assert.Null(store.Storages[0].ZstdLevel);
        Assert.Null(store.Storages[0].Key);
        var second = store.Storages[1];
        Assert.Equal((3, 7, 8, 1000000L, 2000000L, true), (
            second.ZstdLevel, second.SimultaneousReads, second.SimultaneousWrites, second.BandwidthRead,
            second.BandwidthWrite, second.ConsistencyCheckWrites));
        Assert.Equal("a long password", second.Key!.Password);
        Assert.Equal(32, second.Key.KdfSalt!.Length);
        Assert.Equal(1000, second.Key.KdfIterations);
        Assert.Throws<NotFoundException>(() => store.Sources.OpenSource("disks:/nowhere/at/all"));
        Assert.Throws<UsageException>(() => store.Sources.OpenSource("file:/nowhere/at/all"));
        Assert.Collection(
            loaded.Warnings,
            warning => Assert.Contains("'hmac' has no effect", warning, StringComparison.Ordinal),
            warning => Assert.Contains("'blockCache' has no effect", warning, StringComparison.Ordinal),
            warning => Assert.Contains("'rbd' is not available", warning, StringComparison.Ordinal));
    }

    [Fact]
    public void DefaultsAreThoseOfTheOptions()
    {
        var store = _fake.ReadText(With("")).Store;
        Assert.Equal("s", store.DefaultStorage);
        Assert.Equal("/c/overlays", store.OverlayDirectory);
        Assert.Equal(BlockGeometry.BlockSizeDefault, store.BlockSize);
        Assert.Equal(TimeSpan.FromDays(6), store.DisallowRemoveWhenYounger);
        Assert.Equal(TimeSpan.FromHours(1), store.CleanupGracePeriod);
        Assert.Equal(3, store.Storages[0].SimultaneousReads);
        Assert.Throws<NotFoundException>(() => store.Sources.OpenSource("file:/nowhere/at/all"));
    }

    [Theory]
    [InlineData("blokSize: 65536", "/etc/benji.yaml:1:1: key 'blokSize' is not known in the configuration; the nearest is 'blockSize'")]
    [InlineData("databasengine: x", "'databasengine' is not known in the configuration; the nearest is 'databaseEngine'")]
    [InlineData("nbd: {cowstore: {}}", ":1:7: key 'cowstore' is not known in 'nbd'; the nearest is 'cowStore'")]
    [InlineData("blockSize: 1000000", ":1:12: 'blockSize' must be a power of two")]
    [InlineData("blockSize: 512", "whole number from 65536 to 67108864")]
    [InlineData("blockSize: 4M", "whole number")]
    [InlineData("blockSize: [65536]", "whole number")]
    [InlineData("blockSize: 99999999999999999999", "whole number")]
    [InlineData("hashFunction: SHA256", "the only 'hashFunction' is 'BLAKE2b,digest_bits=256'")]
    [InlineData("disallowRemoveWhenYounger: -1", "whole number")]
    [InlineData("defaultStorage: t", "must be the name of an item of 'storages'")]
    [InlineData("processName: {}", "'processName' must be a text")]
    [InlineData("ios: {}", "'ios' must be a list")]
    [InlineData("ios: [x]", "an item of 'ios' must be a map")]
    [InlineData("ios: [{name: x}]", "needs 'module'")]
    [InlineData("ios: [{name: x, module: ftp}]", "known are: file, null, rbd, rbdaio, iscsi")]
    [InlineData("ios: [{name: x, module: file}, {name: x, module: file}]", "two entries with the name 'x'")]
    [InlineData("ios: [{name: \"a\\nb\", module: file}]", "no control characters")]
    [InlineData("transforms: [{name: z, module: zstd, configuration: {level: 23}}]", "'level' must be a whole number from 1 to 22")]
    [InlineData("transforms: [{name: z, module: zstd, configuration: {levl: 3}}]", "nearest is 'level'")]
    [InlineData("transforms: [{name: z, module: zstd, configuration: {dictDataFile: x}}]", "dictionaries are not supported")]
    [InlineData("transforms: [{name: e, module: aes_256_gcm_ecc}]", "'aes_256_gcm_ecc' is not available in this release")]
    [InlineData("transforms: [{name: e, module: aes_256_gcm}]", "either 'masterKey' or 'password'")]
    [InlineData("transforms: [{name: e, module: aes_256_gcm, configuration: {masterKey: AAAA}}]", "exactly 32 bytes")]
    [InlineData("transforms: [{name: e, module: aes_256_gcm, configuration: {password: SECRET}}]", "at least 8 bytes")]
    [InlineData("transforms: [{name: e, module: aes_256_gcm, configuration: {password: a, passwordFile: b}}]", "only one of 'password'")]
    [InlineData("transforms: [{name: e, module: aes_256_gcm, configuration: {passwordFile: none}}]", "/etc/none does not exist")]
    [InlineData("transforms: [{name: e, module: aes_256_gcm, configuration: {passwordCommand: SECRET}}]", "failed: it ended with exit code 1")]
    [InlineData("transforms: [{name: e, module: aes_256_gcm, configuration: {password: longlong, kdfSalt: AAAA}}]", "given together")]
    [InlineData("transforms: [{name: e, module: aes_256_gcm, configuration: {password: longlong, kdfSalt: AAAA, kdfIterations: 5000}}]", "8 to 1024 bytes")]
    [InlineData("transforms: [{name: e, module: aes_256_gcm, configuration: {password: longlong, kdfSalt: AAAA, kdfIterations: 999}}]", "from 1000")]
    [InlineData("a: 1\na: 2", ":2:1: key 'a' stands here twice; first at /etc/benji.yaml:1:1")]
    [InlineData("a: *b", "no finished value with the anchor 'b'")]
    [InlineData("a: &a [*a]", "no finished value with the anchor 'a'")]
    [InlineData("a: !!int 3", "tags are not supported")]
    [InlineData("? [a]\n: b", "a key must be a text")]
    [InlineData("a: \"b", "/etc/benji.yaml:1:4: this is not valid YAML: ")]
    [InlineData("a: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", "more than 16 levels")]
    [InlineData("--- {}\n--- {}\n...", "second document")]
    public void AMistakeIsNamedWithItsPlace(string lines, string message)
    {
        var error = Assert.Throws<ConfigurationException>(() => _fake.ReadText(With(lines)));
        Assert.StartsWith("/etc/benji.yaml:", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("SECRET", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "needs 'configurationVersion'")]
    [InlineData("- a", "must be a map")]
    [InlineData("configurationVersion: 2", "must be '1'")]
    [InlineData("configurationVersion: 1", "needs 'databaseEngine'")]
    [InlineData("configurationVersion: 1\ndatabaseEngine: sqlite:////c.db", "use 'databaseEngine: litedb:///PATH'")]
    [InlineData("configurationVersion: 1\ndatabaseEngine: postgresql://h/d", "must be 'litedb:///PATH'")]
    [InlineData("configurationVersion: 1\ndatabaseEngine: litedb:///c.db", "needs 'storages'")]
    [InlineData("configurationVersion: 1\ndatabaseEngine: litedb:///c.db\nstorages: []", "needs 'storages'")]
    [InlineData("configurationVersion: 1\ndatabaseEngine: litedb:///c.db\nstorages: [{name: s, module: s3}]", "'s3' is not available in this release")]
    [InlineData("configurationVersion: 1\ndatabaseEngine: litedb:///c.db\nstorages: [{name: s, module: file}]", "needs 'path'")]
    public void WhatIsNeededMustBeThere(string yaml, string message)
    {
        var error = Assert.Throws<ConfigurationException>(() => _fake.ReadText(yaml));
        Assert.StartsWith("/etc/benji.yaml:", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("activeTransforms: [none]", "must be the name of an item of 'transforms'")]
    [InlineData("activeTransforms: [fast, other]", "one compression and one encryption")]
    [InlineData("activeTransforms: [fast, other, fast]", "at most 2 items")]
    [InlineData("hmac: {password: longlong}", "not available without encryption")]
    [InlineData("hmac: {pasword: longlong}", "nearest is 'password'")]
    [InlineData("simultaneousReads: 0", "whole number from 1 to 1000")]
    [InlineData("consistencyCheckWrites: maybe", "must be true or false")]
    [InlineData("bandwithRead: 3", "the nearest is 'bandwidthRead'")]
    public void AMistakeInAStorageIsNamed(string setting, string message)
    {
        var error = Assert.Throws<ConfigurationException>(() => _fake.ReadText($$$"""
            configurationVersion: 1
            databaseEngine: litedb:///c/catalog.db
            storages: [{name: s, module: file, configuration: {path: /s, {{{setting}}}}}]
            transforms: [{name: fast, module: zstd}, {name: other, module: zstd}]
            """));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnAliasStandsForWhatItNames()
    {
        var loaded = _fake.ReadText(
            "configurationVersion: 1\ndatabaseEngine: litedb:///c.db\ndefaultStorage: a\n" +
            "storages: [{name: a, module: file, configuration: &c {path: /s}}, {name: b, module: file, configuration: *c}]");
        Assert.Equal(["/s", "/s"], loaded.Store.Storages.Select(storage => storage.Path));
    }

    [Fact]
    public void AFileThatIsTooLongIsRefused()
    {
        var error = Assert.Throws<ConfigurationException>(() => _fake.ReadText(new string('#', 10_000_000)));
        Assert.Contains("at most 1048576 are read", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a: [", 100_000)]
    [InlineData("- ", 100_000)]
    [InlineData("{", 300_000)]
    [InlineData("a: {", 200_000)]
    [InlineData("[&a x, ", 100_000)]
    public void ABombIsRefusedSoon(string part, int count) =>
        Assert.Throws<ConfigurationException>(() => _fake.ReadText(string.Concat(Enumerable.Repeat(part, count))));

    [Fact]
    public void AnyMutationIsReadOrRefused() => Seeded.Run(random =>
    {
        string[] parts =
        [
            "\n", "  ", ": ", "- ", "[", "]", "{", "}", "&a ", "*a", "'", "\"", "|", ">", "#", "!", "!<>", "%TAG", "---",
            "\\uD800", "\t", "\0", "null", "~", "1", "-1", "true", "\ud800", "name", "file", "\u2028", "<<: *a", "? ", ",",
        ];
        _fake.Files["/etc/password"] = "a long password";
        for (var round = 0; round < 3000; round++)
        {
            var text = new StringBuilder(Full);
            for (var changes = random.Next(1, 6); changes > 0; changes--)
            {
                var at = random.Next(text.Length);
                switch (random.Next(3))
                {
                    case 0:
                        text.Remove(at, random.Next(Math.Min(40, text.Length - at)));
                        break;
                    case 1:
                        text.Insert(at, parts[random.Next(parts.Length)]);
                        break;
                    default:
                        text[at] = (char)random.Next(1, 128);
                        break;
                }
            }

            try
            {
                Assert.NotEmpty(_fake.ReadText(text.ToString()).Store.Storages);
            }
            catch (ConfigurationException error)
            {
                Assert.StartsWith("/etc/benji.yaml:", error.Message, StringComparison.Ordinal);
                Assert.DoesNotContain("a long password", error.Message, StringComparison.Ordinal);
            }
        }
    });

    private static string With(string lines) =>
        $"{lines}\nconfigurationVersion: '1'\ndatabaseEngine: litedb:///c/catalog.db\n" +
        "storages: [{name: s, module: file, configuration: {path: /s}}]\n";
}
