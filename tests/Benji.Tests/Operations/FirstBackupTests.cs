using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>A first backup that cannot begin makes no store.</summary>
public sealed class FirstBackupTests : IAsyncLifetime
{
    private readonly StoreFixture _store = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _store.DisposeAsync();

    public static TheoryData<string, string, string?, string?, Type> Refused => new()
    {
        { "missing", "vm", null, null, typeof(NotFoundException) },
        { "disk", "v m", null, null, typeof(UsageException) },
        { "disk", "vm", "latest", null, typeof(UsageException) },
        { "disk", "vm", null, "vm/base", typeof(NotFoundException) },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task WhatIsRefusedLeavesNothing(string source, string volume, string? version, string? baseVersion, Type error)
    {
        _store.Images.Set("disk", [1, 2, 3]);
        var request = new BackupRequest { Source = source, Volume = volume, Version = version, BaseVersion = baseVersion };
        await Assert.ThrowsAsync(error, () => BenjiStore.CheckFirstBackupAsync(_store.Options, request));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_store.DirectoryPath));
    }

    [Fact]
    public async Task AStorageThatHoldsVersionsGetsNoNewCatalog()
    {
        _store.Images.Set("disk", [1, 2, 3]);
        Assert.Empty(_store.Options.Places.FindVersions());
        await _store.BackupAsync("disk");
        Assert.Equal(["storage 'main'"], _store.Options.Places.FindVersions());
        await _store.CloseAsync();
        foreach (var file in Directory.GetFiles(_store.DirectoryPath, "catalog*"))
        {
            File.Delete(file);
        }

        var request = new BackupRequest { Source = "disk", Volume = "disk" };
        var error = await Assert.ThrowsAsync<ConfigurationException>(
            () => BenjiStore.CheckFirstBackupAsync(_store.Options, request));
        Assert.Contains("benji rebuild", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_store.DirectoryPath, "catalog*"));
    }

    [Fact]
    public async Task WhatCanBeginIsNotRefused()
    {
        _store.Images.Set("disk", [1, 2, 3]);
        await BenjiStore.CheckFirstBackupAsync(_store.Options, new BackupRequest { Source = "disk", Volume = "vm" });
        await _store.BackupAsync("disk");
        await BenjiStore.CheckFirstBackupAsync(_store.Options, new BackupRequest { Source = "missing", Volume = "vm" });
    }
}
