using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Benji.Store.Model;

namespace Benji.Store.Images.Overlays.Files;

/// <summary>The header of an overlay file: everything that a rebuild needs to adopt it.</summary>
/// <remarks>Format: docs/format.md, "Overlay file".</remarks>
internal sealed record OverlayHeader
{
    /// <summary>Bytes of the header.</summary>
    public const int Length = OverlayLayout.UnitSize;

    private const int FormatVersion = 1;
    private const int NamesOffset = 120;

    // The last microsecond of the year 9999.
    private const long CreatedMax = 253_402_300_799_999_999;
    private const int CheckOffset = Length - SHA256.HashSizeInBytes;

    /// <summary>The overlay's random id.</summary>
    public required Guid Id { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>When it was made, UTC, whole microseconds.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>The id of the base version.</summary>
    public required Guid BaseId { get; init; }

    /// <summary>The full name of the base version.</summary>
    public required VersionName BaseName { get; init; }

    /// <summary>The root of the base version's block map.</summary>
    public required PageId BaseRoot { get; init; }

    /// <summary>The id of the store that holds the base version.</summary>
    public required Guid StoreId { get; init; }

    /// <summary>Bytes in the image.</summary>
    public required long Size { get; init; }

    /// <summary>The base version's bytes per block.</summary>
    public required int BlockSize { get; init; }

    /// <summary>The arithmetic of the file.</summary>
    public OverlayLayout Layout => new(Size);

    private static ReadOnlySpan<byte> Magic => "BNJIOVL\0"u8;

    /// <summary>Returns the <see cref="Length"/> bytes of the header.</summary>
    public byte[] Format()
    {
        var bytes = new byte[Length];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), FormatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), BlockSize);
        WriteId(bytes.AsSpan(16), Id);
        WriteId(bytes.AsSpan(32), BaseId);
        WriteId(bytes.AsSpan(48), StoreId);
        BaseRoot.Hash.CopyTo(bytes.AsSpan(64));
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(96), Size);
        BinaryPrimitives.WriteInt64LittleEndian(
            bytes.AsSpan(104), (Created - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        var at = NamesOffset;
        bytes[112] = WriteName(bytes, ref at, Name);
        bytes[113] = WriteName(bytes, ref at, BaseName.Version);
        bytes[114] = WriteName(bytes, ref at, BaseName.Volume);
        SHA256.HashData(bytes.AsSpan(0, CheckOffset), bytes.AsSpan(CheckOffset));
        return bytes;
    }

    /// <summary>Reads a header.</summary>
    /// <param name="bytes">The start of the file, at most <see cref="Length"/> bytes.</param>
    /// <param name="path">The file, for messages.</param>
    /// <exception cref="CorruptDataException">It is no overlay's, of a newer format, or damaged.</exception>
    public static OverlayHeader Parse(ReadOnlySpan<byte> bytes, string path)
    {
        if (bytes.Length != Length || !bytes.StartsWith(Magic))
        {
            throw Corrupt(path, "it does not begin with an overlay's header");
        }

        var version = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        if (version != FormatVersion)
        {
            throw Corrupt(path, $"its format is {version}, and this program knows format {FormatVersion}");
        }

        if (!SHA256.HashData(bytes[..CheckOffset]).AsSpan().SequenceEqual(bytes[CheckOffset..]))
        {
            throw Corrupt(path, "its header does not match its check");
        }

        return ParseFields(bytes, path);
    }

    private static OverlayHeader ParseFields(ReadOnlySpan<byte> bytes, string path)
    {
        var size = BinaryPrimitives.ReadInt64LittleEndian(bytes[96..]);
        var blockSize = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
        var created = BinaryPrimitives.ReadInt64LittleEndian(bytes[104..]);
        if (size is < 0 or > BlockGeometry.SizeMax
            || blockSize is < BlockGeometry.BlockSizeMin or > BlockGeometry.BlockSizeMax
            || !int.IsPow2(blockSize)
            || created is < 0 or > CreatedMax)
        {
            throw Corrupt(path, $"its size {size}, block size {blockSize} or date is outside the limits");
        }

        var names = bytes[NamesOffset..CheckOffset];
        var name = ReadName(ref names, bytes[112]);
        var baseVersion = ReadName(ref names, bytes[113]);
        var volume = ReadName(ref names, bytes[114]);
        if (!Names.IsOverlay(name) || !Names.IsVersion(baseVersion) || !Names.IsVolume(volume))
        {
            throw Corrupt(path, "a name in its header is not valid");
        }

        if (bytes[115..NamesOffset].ContainsAnyExcept((byte)0) || names.ContainsAnyExcept((byte)0))
        {
            throw Corrupt(path, "bytes of its header that are to be zeros are not");
        }

        return new OverlayHeader
        {
            Id = new Guid(bytes.Slice(16, 16), bigEndian: true),
            Name = name,
            Created = DateTimeOffset.UnixEpoch.AddTicks(created * TimeSpan.TicksPerMicrosecond),
            BaseId = new Guid(bytes.Slice(32, 16), bigEndian: true),
            BaseName = new VersionName(volume, baseVersion),
            BaseRoot = new PageId(new Hash256(bytes.Slice(64, Hash256.Size))),
            StoreId = new Guid(bytes.Slice(48, 16), bigEndian: true),
            Size = size,
            BlockSize = blockSize,
        };
    }

    private static CorruptDataException Corrupt(string path, string fault) =>
        new($"{path} is not a sound overlay file: {fault}.");

    private static void WriteId(Span<byte> destination, Guid id) =>
        Invariant.Holds(id.TryWriteBytes(destination, bigEndian: true, out _));

    private static byte WriteName(byte[] bytes, ref int at, string name)
    {
        var length = Encoding.ASCII.GetBytes(name, bytes.AsSpan(at, CheckOffset - at));
        at += length;
        return checked((byte)length);
    }

    // Three lengths of a byte each never reach the check, so there is always enough.
    private static string ReadName(ref ReadOnlySpan<byte> names, int length)
    {
        var name = Encoding.Latin1.GetString(names[..length]);
        names = names[length..];
        return name;
    }
}
