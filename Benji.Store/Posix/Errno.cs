namespace Benji.Store.Posix;

/// <summary>The error numbers of Linux that this program acts on or names; equal on x86-64 and arm64.</summary>
internal static class Errno
{
    public const int NotPermitted = 1;
    public const int NotFound = 2;
    public const int Interrupted = 4;
    public const int Io = 5;
    public const int NoSuchAddress = 6;
    public const int TryAgain = 11;
    public const int NoMemory = 12;
    public const int AccessDenied = 13;
    public const int Busy = 16;
    public const int Exists = 17;
    public const int CrossDevice = 18;
    public const int NoDevice = 19;
    public const int NotDirectory = 20;
    public const int IsDirectory = 21;
    public const int Invalid = 22;
    public const int TooManyFilesInSystem = 23;
    public const int TooManyFiles = 24;
    public const int NotTerminal = 25;
    public const int FileTooLarge = 27;
    public const int NoSpace = 28;
    public const int ReadOnlyFileSystem = 30;
    public const int TooManyLinks = 31;
    public const int OutOfRange = 34;
    public const int NameTooLong = 36;
    public const int NotImplemented = 38;
    public const int NotEmpty = 39;
    public const int TooManySymbolicLinks = 40;
    public const int NoData = 61;
    public const int NotSupported = 95;
    public const int NotConnected = 107;
    public const int TimedOut = 110;
    public const int StaleHandle = 116;
    public const int RemoteIo = 121;
    public const int QuotaExceeded = 122;

    /// <summary>Returns the C library's words for an error number, in lower case as they stand inside a sentence.</summary>
    public static string Describe(int errno) => errno switch
    {
        NotPermitted => "operation not permitted",
        NotFound => "no such file or directory",
        Interrupted => "interrupted system call",
        Io => "input/output error",
        NoSuchAddress => "no such device or address",
        TryAgain => "resource temporarily unavailable",
        NoMemory => "cannot allocate memory",
        AccessDenied => "permission denied",
        Busy => "device or resource busy",
        Exists => "file exists",
        CrossDevice => "invalid cross-device link",
        NoDevice => "no such device",
        NotDirectory => "not a directory",
        IsDirectory => "is a directory",
        Invalid => "invalid argument",
        TooManyFilesInSystem => "too many open files in system",
        TooManyFiles => "too many open files",
        NotTerminal => "inappropriate ioctl for device",
        FileTooLarge => "file too large",
        NoSpace => "no space left on device",
        ReadOnlyFileSystem => "read-only file system",
        TooManyLinks => "too many links",
        NameTooLong => "file name too long",
        NotImplemented => "function not implemented",
        NotEmpty => "directory not empty",
        TooManySymbolicLinks => "too many levels of symbolic links",
        NotSupported => "operation not supported",
        NotConnected => "transport endpoint is not connected",
        TimedOut => "connection timed out",
        StaleHandle => "stale file handle",
        RemoteIo => "remote I/O error",
        QuotaExceeded => "disk quota exceeded",
        _ => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"error {errno}"),
    };
}
