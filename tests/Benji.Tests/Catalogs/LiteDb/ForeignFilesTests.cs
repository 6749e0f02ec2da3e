using System.Text;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Model;
using Benji.Testing;
using LiteDB;
using LiteDB.Engine;
using Xunit;

namespace Benji.Tests.Catalogs.LiteDb;

/// <summary>Files of others in the places of a catalog's files are refused by name, and stay byte for byte as they are.</summary>
public sealed class ForeignFilesTests : IDisposable
{
    private static readonly string[] Names =
    [
        "catalog.db", "catalog.wal", "catalog.lock", "catalog.queue", "catalog.owners", "catalog.rebuilding",
        "catalog-new.db", "catalog-new.wal", "catalog-new.lock", "catalog-new.queue", "catalog-new.owners",
    ];

    private readonly TemporaryDirectory _directory = new();

    public enum Content
    {
        ShortText,
        Text,
        LongText,
        SQLite,
        OtherLiteDb,
        Directory,
    }

    private LiteDbCatalogOptions Options => new() { Path = _directory["catalog.db"], TimeProvider = TimeProvider.System };

    public static TheoryData<string, Content> Places()
    {
        var places = new TheoryData<string, Content>();
        foreach (var name in Names)
        {
            foreach (var content in Enum.GetValues<Content>())
            {
                if ((name, content) is (_, not Content.Directory) or (not "catalog.owners" and not "catalog-new.owners", _))
                {
                    places.Add(name, content);
                }
            }
        }

        return places;
    }

    public void Dispose() => _directory.Dispose();

    [Theory]
    [MemberData(nameof(Places))]
    public async Task AForeignFileIsRefusedByNameAndUnchanged(string name, Content content)
    {
        var path = _directory[name];
        await MakeAsync(path, content);
        var before = Snapshot(path);
        var isNew = name.StartsWith("catalog-new", StringComparison.Ordinal);
        Func<Task>[] openings =
        [
            async () => await (await OpenAsync()).DisposeAsync(),
            async () => await (await StartAsync()).DisposeAsync(),
        ];
        foreach (var opening in isNew ? openings[1..] : openings)
        {
            var failure = await Assert.ThrowsAsync<ConfigurationException>(opening);
            Assert.Contains(path, failure.Message, StringComparison.Ordinal);
            Assert.Equal(before, Snapshot(path));
        }
    }

    [Theory]
    [InlineData("catalog.db", 0)]
    [InlineData("catalog.wal", 0)]
    [InlineData("catalog.wal", 100)]
    [InlineData("catalog.lock", 8)]
    public async Task WhatACrashLeavesOfANewCatalogIsNoForeignFile(string name, int zeros)
    {
        await File.WriteAllBytesAsync(_directory[name], new byte[zeros]);
        await using var catalog = await OpenAsync();
        Assert.Empty(await catalog.ReadAsync(transaction => transaction.Versions.List(null), CancellationToken.None));
    }

    [Fact]
    public async Task ARebuildLeavesWhatOthersHaveInTheDirectoryOfOwners()
    {
        var owners = Directory.CreateDirectory(_directory["catalog-new.owners"]).FullName;
        var old = Path.Combine(owners, $"{Guid.NewGuid():N}.lock");
        string[] foreign = [Path.Combine(owners, "notes.lock"), Path.Combine(owners, "deep", "file")];
        Directory.CreateDirectory(Path.GetDirectoryName(foreign[1])!);
        Array.ForEach([old, .. foreign], path => File.WriteAllText(path, ""));
        await using (await StartAsync())
        {
            Assert.False(File.Exists(old));
        }

        Assert.All(foreign, path => Assert.True(File.Exists(path)));
    }

    [Fact]
    public async Task ASecondRebuildLeavesTheLockOfTheFirst()
    {
        await using var first = await StartAsync();
        for (var i = 0; i < 2; i++)
        {
            await Assert.ThrowsAsync<InUseException>(StartAsync);
        }
    }

    private Task<LiteDbCatalog> OpenAsync() =>
        LiteDbCatalog.OpenAsync(Options with { Create = true }, CancellationToken.None);

    private Task<LiteDbRebuild> StartAsync() => LiteDbRebuild.StartAsync(Options, _ => { }, CancellationToken.None);

    private static string Snapshot(string path) =>
        Directory.Exists(path) ? FolderSnapshot.Take(path) : Convert.ToHexString(File.ReadAllBytes(path));

    private static async Task MakeAsync(string path, Content content)
    {
        switch (content)
        {
            case Content.Directory:
                Directory.CreateDirectory(path);
                return;
            case Content.OtherLiteDb:
                using (var file = new FileStream(path, FileMode.CreateNew))
                using (var engine = new LiteEngine(new EngineSettings { DataStream = file, LogStream = new MemoryStream() }))
                {
                    engine.Insert("customers", [new BsonDocument { ["name"] = "Ada" }], BsonAutoId.ObjectId);
                    engine.Checkpoint();
                }

                return;
            default:
                var text = content switch
                {
                    Content.ShortText => "text",
                    Content.Text => "12345678",
                    Content.SQLite => "SQLite format 3\0" + new string('\u0001', 5000),
                    _ => string.Concat(Enumerable.Repeat("All work and no play. ", 1000)),
                };
                await File.WriteAllBytesAsync(path, Encoding.UTF8.GetBytes(text));
                return;
        }
    }
}
