using Benji.Cli.Configuration;
using Benji.Cli.Mounting;
using Benji.Store;
using Benji.Store.Model;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Cli.Mounting;

public sealed class MountPointTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly StoreOptions _store;

    public MountPointTests()
    {
        var surroundings = Surroundings.OfProcess(name => name == "BENJI_HOME" ? _directory["home"] : null);
        _store = ZeroConfiguration.Read(surroundings).Store with { OverlayDirectory = _directory["elsewhere/overlays"] };
        Directory.CreateDirectory(_directory["home/storage/blocks"]);
        Directory.CreateDirectory(_directory["elsewhere/other"]);
        Directory.CreateDirectory(_directory["mnt"]);
    }

    [Fact]
    public void ADirectoryBesideTheStoreIsAccepted()
    {
        MountPoint.Check(_directory["mnt"], _store);
        MountPoint.Check(_directory["elsewhere/other"], _store);
    }

    [Theory]
    [InlineData("home")]
    [InlineData("home/storage")]
    [InlineData("home/storage/blocks")]
    [InlineData("elsewhere")]
    [InlineData("")]
    public void ADirectoryInOrOverTheStoreIsRefused(string place)
    {
        var failure = Assert.Throws<NotAllowedException>(() => MountPoint.Check(_directory[place].TrimEnd('/'), _store));
        Assert.Contains("lie in one another", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ALinkIntoTheStoreIsRefused()
    {
        File.CreateSymbolicLink(_directory["link"], _directory["home/storage"]);
        var resolved = MountPoint.Resolve(_directory["link/blocks"]);
        Assert.Equal(FileIdentity.Resolve(_directory["home/storage/blocks"]), resolved);
        Assert.Throws<NotAllowedException>(() => MountPoint.Check(resolved, _store));
    }

    [Fact]
    public void AStoreBehindALinkIsFound()
    {
        File.CreateSymbolicLink(_directory["store"], _directory["elsewhere/other"]);
        var store = _store with { CatalogPath = _directory["store/catalog.db"] };
        Assert.Throws<NotAllowedException>(() => MountPoint.Check(_directory["elsewhere/other"], store));
    }

    [Fact]
    public void AMissingMountPointIsNotFound() =>
        Assert.Throws<NotFoundException>(() => MountPoint.Check(_directory["nowhere"], _store));

    [Fact]
    public void AFileIsNoMountPoint()
    {
        File.WriteAllText(_directory["file"], "");
        Assert.Throws<UsageException>(() => MountPoint.Check(_directory["file"], _store));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    public void WhatIsNoPathIsRefused(string text) => Assert.Throws<UsageException>(() => MountPoint.Resolve(text));

    public void Dispose() => _directory.Dispose();
}
