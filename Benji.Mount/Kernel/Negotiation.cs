using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Benji.Mount.Kernel.Wire;

namespace Benji.Mount.Kernel;

/// <summary>What the kernel and this server agreed on when the connection began; a later server must be told of it.</summary>
/// <param name="Minor">The protocol's version behind the point; before it is 7.</param>
/// <param name="Flags">What both can do and the server wants.</param>
internal sealed record Negotiation(uint Minor, InitFlags Flags)
{
    /// <summary>The protocol's version before the point.</summary>
    public const uint Major = 7;

    /// <summary>The newest version that this server knows, behind the point.</summary>
    public const uint MinorMax = 45;

    /// <summary>The oldest version whose structures have the size they have here: Linux 4.20.</summary>
    public const uint MinorMin = 28;

    /// <summary>Bytes of the first request in kernels before its growth: major, minor, read-ahead and flags.</summary>
    public const int InitSizeMin = 16;

    private const ushort BackgroundMax = 64;
    private const ushort CongestionThreshold = 48;
    private const int PageSize = 4096;

    private const InitFlags Wanted =
        InitFlags.AsyncRead | InitFlags.AtomicTruncate | InitFlags.BigWrites | InitFlags.ReadDirectoryPlus
        | InitFlags.ReadDirectoryPlusAuto | InitFlags.ParallelDirectories | InitFlags.AccessLists
        | InitFlags.AbortError | InitFlags.MaxPages | InitFlags.ExplicitInvalidation | InitFlags.HandleKillPrivileges2
        | InitFlags.Extended | InitFlags.ExpireOnly | InitFlags.DirectMaps | InitFlags.Resend;

    /// <summary>True when a request that a dead server took can be asked for again.</summary>
    public bool CanResend => Flags.HasFlag(InitFlags.Resend);

    /// <summary>Takes of what the kernel offers what this server wants.</summary>
    /// <returns>Null when its version is too old to speak with.</returns>
    public static Negotiation? Choose(in InitRequest offer)
    {
        if (offer.Major < Major || (offer.Major == Major && offer.Minor < MinorMin))
        {
            return null;
        }

        var offered = (InitFlags)(offer.Flags | ((ulong)offer.Flags2 << 32));
        if (!offered.HasFlag(InitFlags.Extended))
        {
            offered = (InitFlags)offer.Flags;
        }

        return new Negotiation(Math.Min(offer.Minor, MinorMax), offered & Wanted);
    }

    /// <summary>Returns the answer to the kernel's offer.</summary>
    /// <param name="readAheadMax">What the kernel offers to read ahead.</param>
    public InitReply ToReply(uint readAheadMax) => new()
    {
        Major = Major,
        Minor = Minor,
        ReadAheadMax = readAheadMax,
        Flags = unchecked((uint)Flags),
        Flags2 = (uint)((ulong)Flags >> 32),
        BackgroundMax = BackgroundMax,
        CongestionThreshold = CongestionThreshold,
        WriteMax = RequestBuffer.PayloadMax,
        TimeGrain = 1,
        PagesMax = RequestBuffer.PayloadMax / PageSize,
    };

    /// <summary>Returns it as one word of letters, digits and points, for <see cref="TryParse"/>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}.{(ulong)Flags:x}");

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Negotiation? negotiation)
    {
        negotiation = null;
        var parts = text.Split('.');
        if (parts.Length != 3 || parts[0] != "7"
            || !uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var minor)
            || minor is < MinorMin or > MinorMax
            || !ulong.TryParse(parts[2], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var flags)
            || (flags & ~(ulong)Wanted) != 0)
        {
            return false;
        }

        negotiation = new Negotiation(minor, (InitFlags)flags);
        return true;
    }
}
