using Benji.Cli.Configuration;
using Benji.Store.Model;

namespace Benji.Cli;

/// <summary>The exit codes, after sysexits.h, and the one place that chooses one for a failure.</summary>
internal static class ExitCodes
{
    /// <summary>All is done and right.</summary>
    public const int Success = 0;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 64;

    /// <summary>Damaged data was found, in a storage or in the catalog, or the hints contradict the source.</summary>
    public const int Damaged = 65;

    /// <summary>A version, source or file that was named does not exist.</summary>
    public const int NotFound = 66;

    /// <summary>The program itself is wrong.</summary>
    public const int Internal = 70;

    /// <summary>A version or file exists already.</summary>
    public const int Exists = 73;

    /// <summary>Reading or writing failed: a storage, the catalog, a source, a target, standard output.</summary>
    public const int InputOutput = 74;

    /// <summary>Another run holds what this one needs.</summary>
    public const int InUse = 75;

    /// <summary>A rule forbids it: protected or too young.</summary>
    public const int NotAllowed = 77;

    /// <summary>The configuration or a key is wrong, or catalog and storage do not belong together.</summary>
    public const int Configuration = 78;

    /// <summary>Ended by SIGINT, SIGTERM or SIGHUP.</summary>
    public const int Interrupted = 130;

    /// <summary>Returns the exit code of a failure.</summary>
    /// <param name="exception">The failure.</param>
    /// <param name="isStopped">True when a signal asked the run to stop; a cancellation without one is a bug.</param>
    public static int Of(Exception exception, bool isStopped) => exception switch
    {
        UsageException => Usage,
        InputDataException or CorruptDataException or DamagedImageException => Damaged,
        CatalogException { IsDamage: true } => Damaged,
        NotFoundException => NotFound,
        AlreadyExistsException => Exists,
        StorageException or CatalogException or NoSpaceException or ReadOnlyException => InputOutput,
        InUseException or LeaseLostException => InUse,
        NotAllowedException => NotAllowed,
        ConfigurationException or AgeMismatchException => Configuration,
        OperationCanceledException when isStopped => Interrupted,
        AggregateException { InnerExceptions: [var inner] } => Of(inner, isStopped),
        IOException or UnauthorizedAccessException => InputOutput,
        _ => Internal,
    };

    /// <summary>Returns what to tell about a failure with its exit code: what, which, what next.</summary>
    public static string MessageOf(Exception exception, int code) => (exception, code) switch
    {
        (AggregateException { InnerExceptions: [var inner] }, _) => MessageOf(inner, code),
        (_, Interrupted) => "Interrupted. What was not finished is not visible; what is stored of it serves the next run, or cleanup removes it.",
        (FileNotFoundException { FileName: null } or { InnerException: FileNotFoundException { FileName: null } }, _)
            when WorkingDirectory.IsGone =>
            "The working directory was removed: change to another one, or write all paths from / on.",
        (_, Internal) => $"Internal error, {exception.GetType().Name}: {exception.Message} "
            + "This is a bug: report it with the lines below.",
        _ => exception.Message,
    };
}
