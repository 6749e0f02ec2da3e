using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Posix;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Catalogs.LiteDb.Disk;

/// <summary>The file that keeps room, on a real disk.</summary>
public sealed class FileCatalogRoomTests : IDisposable
{
    private const long Size = 1 << 20;

    private readonly TemporaryDirectory _directory = new();

    private FileCatalogRoom Room => new(_directory["catalog.reserve"]);

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void WhatIsKeptIsAllocatedAndWhatIsCutIsFree()
    {
        Assert.Equal(0, Room.Kept);
        Assert.True(Room.TryKeep(Size));
        Assert.Equal(Size, Room.Kept);
        Assert.True(FileStatus.Find(_directory["catalog.reserve"], followLink: false)!.Value.AllocatedBytes >= Size);

        Room.Cut(Size / 4);

        Assert.Equal(Size / 4, Room.Kept);
        Assert.True(FileStatus.Find(_directory["catalog.reserve"], followLink: false)!.Value.AllocatedBytes < Size);
    }

    [Fact]
    public void ACopyWithHolesKeepsNothingAndIsFilled()
    {
        using (var file = File.Create(_directory["catalog.reserve"]))
        {
            file.SetLength(Size);
        }

        Assert.Equal(0, Room.Kept);
        Assert.True(Room.TryKeep(Size));
        Assert.Equal(Size, Room.Kept);
    }

    [Fact]
    public void WhereItCannotBeMadeNothingIsKept()
    {
        var room = new FileCatalogRoom(_directory["missing/catalog.reserve"]);

        Assert.False(room.TryKeep(Size));
        Assert.Equal(0, room.Kept);
    }

    [Fact]
    public void ALinkInItsPlaceIsNotFollowed()
    {
        File.WriteAllText(_directory["other"], "mine");
        File.CreateSymbolicLink(_directory["catalog.reserve"], _directory["other"]);

        Assert.False(Room.TryKeep(Size));
        Assert.Equal("mine", File.ReadAllText(_directory["other"]));
    }

    [Fact]
    public void ItWantsItsSizeOnADiskThatIsNotSmall() => Assert.InRange(Room.Wanted, 1, FileCatalogRoom.Size);
}
