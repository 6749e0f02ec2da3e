using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Benji.Mount.Tree;

/// <summary>Gives every image and directory its number, the same in every process: numbers come from random ids and names.</summary>
/// <remarks>Two ids whose numbers meet, one chance in 10^11 among ten thousand, are told apart by counting up; that lasts as
/// long as the process. For one caller at a time.</remarks>
internal sealed class NodeIds
{
    /// <summary>The number of the root.</summary>
    public const ulong Root = 1;

    /// <summary>Numbers below stand for places in a directory that are no node.</summary>
    public const ulong First = 16;

    private const ulong Mask = (1UL << 63) - 1;

    private readonly Dictionary<Guid, ulong> _images = [];
    private readonly Dictionary<string, ulong> _names = new(StringComparer.Ordinal);
    private readonly Func<UInt128, ulong> _shorten;
    private readonly HashSet<ulong> _taken = [];
    private readonly Dictionary<ulong, ulong> _gone = [];

    /// <summary>Starts with no number given.</summary>
    public NodeIds()
        : this(Shorten)
    {
    }

    /// <summary>Starts with no number given, for tests that want numbers to meet.</summary>
    public NodeIds(Func<UInt128, ulong> shorten) => _shorten = shorten;

    /// <summary>Returns the number of a version or overlay.</summary>
    public ulong OfImage(Guid id)
    {
        if (!_images.TryGetValue(id, out var number))
        {
            Span<byte> bytes = stackalloc byte[16];
            id.TryWriteBytes(bytes);
            number = Take(BinaryPrimitives.ReadUInt128LittleEndian(bytes));
            _images.Add(id, number);
        }

        return number;
    }

    /// <summary>Returns the number of a directory or link.</summary>
    /// <param name="path">Its path from the root.</param>
    public ulong OfPath(string path)
    {
        if (!_names.TryGetValue(path, out var number))
        {
            var hash = SHA256.HashData(Encoding.UTF8.GetBytes(path));
            number = Take(BinaryPrimitives.ReadUInt128LittleEndian(hash));
            _names.Add(path, number);
        }

        return number;
    }

    /// <summary>Returns how often the kernel was told that a number is gone: with the same generation it would take what comes
    /// back for what went.</summary>
    public ulong GenerationOf(ulong number) => _gone.GetValueOrDefault(number);

    /// <summary>Notes that the kernel is told that a number is gone.</summary>
    public void NoteGone(ulong number) => _gone[number] = GenerationOf(number) + 1;

    private static ulong Shorten(UInt128 random) => (ulong)(random >> 64) ^ (ulong)(random & ulong.MaxValue);

    private ulong Take(UInt128 random)
    {
        var number = _shorten(random) & Mask;
        while (number < First || !_taken.Add(number))
        {
            number = (number + 1) & Mask;
        }

        return number;
    }
}
