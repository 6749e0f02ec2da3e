namespace Benji.Nbd;

/// <summary>Who may connect to a unix socket, which is who may write to it.</summary>
public sealed record SocketAccess
{
    /// <summary>Its mode.</summary>
    public UnixFileMode Mode { get; init; } = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Its group by number; null for that of the process.</summary>
    public uint? Group { get; init; }

    /// <summary>True when others than the owner may connect.</summary>
    internal bool IsShared => (Mode & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) != 0;
}
