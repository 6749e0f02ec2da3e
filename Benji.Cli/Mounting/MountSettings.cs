using System.Globalization;
using Benji.Mount;
using Benji.Store.Model;

namespace Benji.Cli.Mounting;

/// <summary>What the options of a mount say: the words behind <c>-o</c>, as mount(8) and /etc/fstab write them.</summary>
internal sealed record MountSettings
{
    /// <summary>Bytes of decoded blocks to keep where nothing is said.</summary>
    public const long CacheDefault = 256L * 1024 * 1024;

    private const long CacheLeast = 16L * 1024 * 1024;
    private const long CacheMost = 1L << 40;
    private const int ReadAheadMost = 64 * 1024 * 1024;

    // What mount(8) and systemd keep in fstab for themselves, and what holds anyway.
    private static readonly HashSet<string> Accepted = new(StringComparer.Ordinal)
    {
        "defaults", "rw", "auto", "noauto", "user", "nouser", "users", "owner", "group", "_netdev", "nofail", "loud", "silent",
        "dev", "nodev", "suid", "nosuid", "exec", "noexec", "atime", "noatime", "diratime", "nodiratime", "relatime",
        "norelatime", "strictatime", "nostrictatime", "lazytime", "nolazytime", "sync", "async", "dirsync", "iversion",
        "noiversion", "mand", "nomand", "nosymfollow", "default_permissions", "nonempty",
    };

    private static readonly string[] AcceptedBeginnings = ["x-", "X-", "comment=", "context=", "fscontext="];

    private static readonly string[] Own =
        ["ro", "rw", "allow_other", "cache", "uid", "gid", "umask", "readers", "read_ahead", "fsname"];

    /// <summary>True when no overlay can be made, written or removed.</summary>
    public bool IsReadOnly { get; private init; }

    /// <summary>True when other users may look inside.</summary>
    public bool AllowOther { get; private init; }

    /// <summary>Bytes of decoded blocks to keep in memory.</summary>
    public long CacheBytes { get; private init; } = CacheDefault;

    private uint? Uid { get; init; }

    private uint? Gid { get; init; }

    private uint? Umask { get; init; }

    private int? Readers { get; init; }

    private int? ReadAhead { get; init; }

    private string? Source { get; init; }

    /// <summary>Reads lists of options; of those that contradict each other the last one counts.</summary>
    /// <exception cref="UsageException">One is unknown, or its value is wrong.</exception>
    public static MountSettings Parse(IEnumerable<string> lists) => lists
        .SelectMany(list => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        .Aggregate(new MountSettings(), (settings, option) => settings.With(option));

    /// <summary>Makes the options of the mount.</summary>
    /// <param name="mountPoint">Absolute.</param>
    /// <param name="source">What the table of mounts shows where the options do not say.</param>
    public FuseMountOptions ToOptions(string mountPoint, string? source)
    {
        var options = new FuseMountOptions
        {
            MountPoint = mountPoint,
            IsReadOnly = IsReadOnly,
            AllowOther = AllowOther,
            Uid = Uid,
            Gid = Gid,
            Readers = Readers,
        };
        return options with
        {
            Source = Source ?? source ?? options.Source,
            Umask = Umask ?? options.Umask,
            ReadAhead = ReadAhead ?? options.ReadAhead,
        };
    }

    private MountSettings With(string option)
    {
        var equals = option.IndexOf('=', StringComparison.Ordinal);
        var (name, value) = equals < 0 ? (option, "") : (option[..equals], option[(equals + 1)..]);
        return (name, equals >= 0) switch
        {
            ("ro", false) => this with { IsReadOnly = true },
            ("rw", false) => this with { IsReadOnly = false },
            ("allow_other", false) => this with { AllowOther = true },
            ("cache", true) => this with { CacheBytes = Size(name, value, CacheLeast, CacheMost) },
            ("uid", true) => this with { Uid = Number(name, value) },
            ("gid", true) => this with { Gid = Number(name, value) },
            ("umask", true) => this with { Umask = Octal(name, value) },
            ("readers", true) => this with { Readers = Between(name, value, FuseMountOptions.ReadersMost) },
            ("read_ahead", true) => this with { ReadAhead = (int)Size(name, value, 4096, ReadAheadMost) },
            ("fsname", true) when value.Length > 0 => this with { Source = value },
            _ when Accepted.Contains(option) || AcceptedBeginnings.Any(known => option.StartsWith(known, StringComparison.Ordinal))
                => this,
            _ => throw new UsageException(Own.Contains(name)
                ? $"Mount option {Names.Show(option)} {(equals < 0 ? "needs a value" : "takes no such value")}. See 'man benji-mount'."
                : $"There is no mount option {Names.Show(name)}. See 'man benji-mount'."),
        };
    }

    private static uint Number(string name, string value) =>
        uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number != uint.MaxValue
            ? number
            : throw new UsageException($"Mount option {name}={value} is not the number of a user or group.");

    private static int Between(string name, string value, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most
            ? number
            : throw new UsageException($"Mount option {name}={value} is not a number from 1 to {most}.");

    private static uint Octal(string name, string value)
    {
        var isOctal = value.Length is >= 1 and <= 4 && value.All(digit => digit is >= '0' and <= '7');
        var mask = isOctal ? Convert.ToUInt32(value, 8) : uint.MaxValue;
        return mask <= 0x1FF
            ? mask
            : throw new UsageException($"Mount option {name}={value} is not an octal number from 0 to 0777.");
    }

    private static long Size(string name, string value, long least, long most)
    {
        var digits = value.TakeWhile(char.IsAsciiDigit).Count();
        var shift = value[digits..].ToUpperInvariant() switch
        {
            "" or "B" => 0,
            "K" or "KIB" => 10,
            "M" or "MIB" => 20,
            "G" or "GIB" => 30,
            _ => -1,
        };
        return shift >= 0
            && long.TryParse(value.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= most >> shift && number << shift >= least
            ? number << shift
            : throw new UsageException(
                $"Mount option {name}={value} is not a size from {least} to {most} bytes: write bytes, or a number with K, M or G.");
    }
}
