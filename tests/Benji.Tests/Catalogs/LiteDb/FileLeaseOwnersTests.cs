using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Catalogs.LiteDb;

/// <summary>Who of the owners of leases lives, by their boot, their host and the locks of their files.</summary>
public sealed class FileLeaseOwnersTests : IDisposable
{
    private const string OtherBoot = "another boot";

    private readonly TemporaryDirectory _directory = new();
    private readonly FileLeaseOwners _owners;

    public FileLeaseOwnersTests()
    {
        Directory.CreateDirectory(_directory["owners"]);
        _owners = NewOwners();
    }

    public void Dispose()
    {
        _owners.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void AnOwnerOfThisHostsBootBeforeIsDead() =>
        Assert.False(_owners.IsAlive(Owner(_owners.Self.Host), OtherBoot));

    [Fact]
    public void OfAnOwnerOnAnotherHostOnlyExpiryCanTell() =>
        Assert.Null(_owners.IsAlive(Owner("another host"), OtherBoot));

    /// <summary>Its file may have survived the boot, and another process may lock it now.</summary>
    [Fact]
    public void AnOwnerOfAnotherBootIsNotJudgedByAFileHere()
    {
        using var other = NewOwners();
        other.Announce();

        Assert.False(_owners.IsAlive(other.Self, OtherBoot));
        Assert.Null(_owners.IsAlive(other.Self with { Host = "another host" }, OtherBoot));
        Assert.Single(Directory.GetFiles(_directory["owners"], "*.lock"));
    }

    [Fact]
    public void AnOwnerInAContainerOfThisKernelIsJudgedByItsFile()
    {
        using var other = NewOwners();
        other.Announce();

        Assert.True(_owners.IsAlive(other.Self with { Host = "a container" }, _owners.BootId));
        other.Dispose();
        Assert.False(_owners.IsAlive(other.Self with { Host = "a container" }, _owners.BootId));
    }

    [Fact]
    public void AnOwnerKnowsThatItLivesThoughItsFileWasTidiedAway()
    {
        _owners.Announce();
        foreach (var file in Directory.GetFiles(_directory["owners"], "*.lock"))
        {
            File.Delete(file);
        }

        Assert.True(_owners.IsAlive(_owners.Self, _owners.BootId));
        Assert.True(_owners.IsAlive(_owners.Self, OtherBoot));
    }

    [Fact]
    public void AnOwnerWithoutAFileIsDead() => Assert.False(_owners.IsAlive(Owner(_owners.Self.Host), _owners.BootId));

    [Fact]
    public void AnOwnerThatEndedIsDeadAndItsFileGone()
    {
        var other = NewOwners();
        other.Announce();
        Assert.True(_owners.IsAlive(other.Self, _owners.BootId));

        other.Dispose();

        Assert.False(_owners.IsAlive(other.Self, _owners.BootId));
        Assert.Empty(Directory.GetFiles(_directory["owners"], "*.lock"));
    }

    [Fact]
    public void AnOwnerThatWasKilledIsDeadAndItsFileGone()
    {
        var killed = Owner(_owners.Self.Host);
        File.WriteAllText(Path.Combine(_directory["owners"], $"{killed.Token:N}.lock"), "");

        Assert.False(_owners.IsAlive(killed, _owners.BootId));
        Assert.Empty(Directory.GetFiles(_directory["owners"], "*.lock"));
    }

    /// <summary>On a disk that takes no more files the next owner gives it its name.</summary>
    [Fact]
    public void AnOwnerKeepsASpareFileThatIsNobodys()
    {
        _owners.Announce();

        var spare = Assert.Single(Directory.GetFiles(_directory["owners"]), path => !path.EndsWith(".lock", StringComparison.Ordinal));
        File.Move(spare, Path.Combine(_directory["owners"], $"{Guid.Empty:N}.lock"));
        Assert.False(_owners.IsAlive(Owner(_owners.Self.Host) with { Token = Guid.Empty }, _owners.BootId));
    }

    [Fact]
    public void AnnouncingTwiceIsAnnouncingOnce()
    {
        _owners.Announce();
        _owners.Announce();

        using var other = NewOwners();
        Assert.True(other.IsAlive(_owners.Self, _owners.BootId));
        Assert.Single(Directory.GetFiles(_directory["owners"], "*.lock"));
    }

    private FileLeaseOwners NewOwners() => new(_directory["owners"], _directory["catalog.db"]);

    private static LeaseOwner Owner(string host) => new(host, 1, Guid.NewGuid());
}
