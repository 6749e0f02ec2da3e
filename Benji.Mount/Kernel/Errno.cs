namespace Benji.Mount.Kernel;

/// <summary>The error numbers of Linux that the mount answers or meets; equal on x86-64 and arm64.</summary>
internal static class Errno
{
    public const int None = 0;
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
    public const int NotTerminal = 25;
    public const int NoSpace = 28;
    public const int ReadOnlyFileSystem = 30;
    public const int Range = 34;
    public const int NameTooLong = 36;
    public const int NotImplemented = 38;
    public const int NoData = 61;
    public const int NotSupported = 95;
    public const int Aborted = 103;
    public const int NotConnected = 107;
    public const int Stale = 116;

    /// <summary>Returns the C library's words for an error number, in lower case as they stand inside a sentence.</summary>
    public static string Describe(int errno) => errno switch
    {
        NotPermitted => "operation not permitted",
        NotFound => "no such file or directory",
        AccessDenied => "permission denied",
        Busy => "device or resource busy",
        NoDevice => "no such device",
        NotDirectory => "not a directory",
        Invalid => "invalid argument",
        NoMemory => "cannot allocate memory",
        NotConnected => "transport endpoint is not connected",
        Aborted => "software caused connection abort",
        _ => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"error {errno}"),
    };
}
