namespace Benji.Mount.Tree;

/// <summary>Who owns the files and who may do what with them.</summary>
/// <param name="Uid">Owner of all.</param>
/// <param name="Gid">Group of all.</param>
/// <param name="Umask">Permissions taken away.</param>
internal sealed record NodeAccess(uint Uid, uint Gid, uint Umask)
{
    private const uint DirectoryKind = 0x4000; // S_IFDIR
    private const uint FileKind = 0x8000; // S_IFREG
    private const uint LinkKind = 0xA000; // S_IFLNK
    private const uint Everything = 0x1FF; // 0777
    private const uint ReadWrite = 0x1B6; // 0666
    private const uint Read = 0x124; // 0444

    /// <summary>Returns the kind and permissions of a node as stat shows them.</summary>
    public uint ModeOf(TreeNode node) => node.Kind switch
    {
        NodeKind.Directory => DirectoryKind | (Everything & ~Umask),
        NodeKind.Link => LinkKind | Everything,
        NodeKind.Overlay => FileKind | (ReadWrite & ~Umask),
        _ => FileKind | (Read & ~Umask),
    };
}
