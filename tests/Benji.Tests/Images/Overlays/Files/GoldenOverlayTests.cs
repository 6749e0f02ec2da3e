using System.Security.Cryptography;
using System.Text;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Store.Posix;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Images.Overlays.Files;

/// <summary>The overlay that was made when the format was released, from its description alone, opens forever.</summary>
public sealed class GoldenOverlayTests : IDisposable
{
    private const int Unit = OverlayLayout.UnitSize;
    private const string Set = "tests/vectors/overlay-v1";

    private static readonly OverlayHeader Header = new()
    {
        Id = Guid.Parse("00112233445566778899aabbccddeeff"),
        Name = "fix",
        Created = new DateTimeOffset(2026, 11, 23, 2, 45, 1, TimeSpan.Zero).AddMicroseconds(123_456),
        BaseId = Guid.Parse("0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
        BaseName = new VersionName("vm/disk", "20261123T024501Z"),
        BaseRoot = new PageId(new Hash256(SHA256.HashData("root"u8))),
        StoreId = Guid.Parse("f0e1d2c3b4a5968778695a4b3c2d1e0f"),
        Size = (5 * Unit) + 100,
        BlockSize = 131_072,
    };

    private readonly TemporaryDirectory _directory = new();

    private static byte[] Golden => File.ReadAllBytes(Path.Combine(Repository.PathOf(Set), $"{Header.Id:N}.overlay"));

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void AGoldenOverlayReadsBackWhole()
    {
        using var file = new OverlayDirectory(Repository.PathOf(Set)).Open(Header.Id, mayWrite: false);
        Assert.Equal(Header, file.Header);
        Assert.Equal(
            [UnitState.Base, UnitState.Data, UnitState.Base, UnitState.Zero, UnitState.Base, UnitState.Data],
            Enumerable.Range(0, 6).Select(unit => file.StateOf(unit)));
        Assert.Equal(Content("unit 1", Unit), Read(file, Unit, Unit));
        Assert.Equal(Content("unit 5", 100), Read(file, 5 * Unit, 100));
        Assert.Equal(3, file.Count().Dirty);
    }

    [Fact]
    public void ItIsMadeAgainByteForByte()
    {
        var overlays = new OverlayDirectory(_directory.Path);
        overlays.Create(Header);
        using (var file = overlays.Open(Header.Id, mayWrite: true))
        {
            file.WriteUnits(new UnitRange(1, 1), Content("unit 1", Unit));
            file.Zero(new UnitRange(3, 1), mayFreeSpace: true);
            file.WriteUnits(new UnitRange(5, 1), Content("unit 5", 100));
            file.Flush();
        }

        // A file ends with its last whole unit, whatever the image's length.
        Assert.Equal(Golden, File.ReadAllBytes(overlays.PathOf(Header.Id)));
    }

    [Fact]
    public void EveryDamagedTwinIsRefused()
    {
        var overlays = new OverlayDirectory(_directory.Path);
        var header = Golden[..Unit];
        for (var position = 0; position < Unit; position++)
        {
            byte[] twin = [.. header];
            twin[position] ^= 0x40;
            Assert.Throws<CorruptDataException>(() => OverlayHeader.Parse(twin, "twin"));
        }

        overlays.Create(Header);
        using (var file = PosixFile.Open(overlays.PathOf(Header.Id), OpenFlags.Write))
        {
            PosixFile.Truncate(file, "overlay", Golden.Length - 1);
        }

        var cut = Assert.Throws<CorruptDataException>(() => overlays.Open(Header.Id, mayWrite: true));
        Assert.Contains("it was cut", cut.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ANewerFormatIsNamed()
    {
        var newer = Golden[..Unit];
        newer[8] = 2;
        var refusal = Assert.Throws<CorruptDataException>(() => OverlayHeader.Parse(newer, "newer"));
        Assert.Contains("its format is 2", refusal.Message, StringComparison.Ordinal);
    }

    private static byte[] Read(OverlayFile file, long offset, int length)
    {
        var bytes = new byte[length];
        Assert.True(file.TryRead(file.BeginRead(), offset, bytes));
        return bytes;
    }

    // Any language can make it.
    private static byte[] Content(string text, int length) =>
        [.. Enumerable.Range(0, (length / 32) + 1)
            .SelectMany(i => SHA256.HashData(Encoding.ASCII.GetBytes($"{text} {i}")))
            .Take(length)];
}
