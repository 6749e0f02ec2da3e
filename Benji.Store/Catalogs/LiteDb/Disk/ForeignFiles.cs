using Benji.Store.Model;
using Benji.Store.Posix;

namespace Benji.Store.Catalogs.LiteDb.Disk;

/// <summary>Refuses files of others that stand where a catalog's files would: they are neither read as a catalog nor written
/// over.</summary>
/// <remarks>Looks at names and first bytes only. An empty file is nobody's, and so are zeros, which a crash of the machine
/// leaves of a file that was just made.</remarks>
internal static class ForeignFiles
{
    private const int HeadSize = 64;

    // LiteDB's page header, then the text that begins its first page.
    private const int MarkOffset = 32;
    private const int CounterSize = 8;

    private static ReadOnlySpan<byte> DatabaseMark => "** This is a LiteDB file **"u8;

    /// <summary>Looks at all files of a catalog.</summary>
    /// <exception cref="ConfigurationException">One of them is another program's; nothing was changed.</exception>
    /// <exception cref="IOException">One of them cannot be looked at.</exception>
    public static void Refuse(CatalogPaths paths)
    {
        Refuse(paths.Data, IsDatabase);
        Refuse(paths.Log, head => IsZero(head) || WalGroup.StartsLikeOne(head));

        // A counter starts below 2^55 and counts single commits.
        Refuse(paths.Lock, head => head.Length == 0 || (head.Length == CounterSize && head[^1] == 0));
        Refuse(paths.Queue, head => head.Length == 0);
        Refuse(paths.Rebuilding, head => head.Length == 0);
        Refuse(paths.Reserve, IsZero);
        if (FileStatus.Find(paths.Owners, followLink: true) is { Kind: not FileKind.Directory })
        {
            throw Foreign(paths.Owners, "a directory");
        }
    }

    private static void Refuse(string path, Func<byte[], bool> isOurs)
    {
        if (FileStatus.Find(path, followLink: true) is not { } found)
        {
            return;
        }

        if (found.Kind != FileKind.Regular || !isOurs(ReadHead(path)))
        {
            throw Foreign(path, "a file");
        }
    }

    private static byte[] ReadHead(string path)
    {
        var head = new byte[HeadSize];
        using var file = PosixFile.Open(path, OpenFlags.Read);
        return head[..PosixFile.Read(file, path, 0, head)];
    }

    private static bool IsDatabase(byte[] head) =>
        IsZero(head) || (head.Length == HeadSize && head.AsSpan(MarkOffset).StartsWith(DatabaseMark));

    private static bool IsZero(byte[] head) => !head.AsSpan().ContainsAnyExcept((byte)0);

    private static ConfigurationException Foreign(string path, string kind) => new(
        $"{path} is not {kind} of this program's catalog, and is left as it is. Configure another place for the catalog, or move "
        + "the file away; if it was a damaged catalog, run 'benji rebuild' then.");
}
