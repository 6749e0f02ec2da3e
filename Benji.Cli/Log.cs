using Microsoft.Extensions.Logging;

namespace Benji.Cli;

/// <summary>Every message that the command line itself logs; event ids are stable.</summary>
internal static partial class Log
{
    [LoggerMessage(9001, LogLevel.Information, "{Stage}")]
    public static partial void StageStarted(ILogger logger, string stage);

    [LoggerMessage(9002, LogLevel.Information, "{Stage}: {Amount}")]
    public static partial void SizedStageStarted(ILogger logger, string stage, string amount);

    [LoggerMessage(9003, LogLevel.Information, "{Summary}")]
    public static partial void Summary(ILogger logger, string summary);

    [LoggerMessage(9009, LogLevel.Information, "{Progress}")]
    public static partial void StageAdvanced(ILogger logger, string progress);

    [LoggerMessage(9005, LogLevel.Warning, "{Warning}")]
    public static partial void ConfigurationWarning(ILogger logger, string warning);

    [LoggerMessage(9006, LogLevel.Information, "Took away {Count} dead mount at {MountPoint} that a killed process had left")]
    public static partial void StaleMountRemoved(ILogger logger, int count, string mountPoint);

    [LoggerMessage(9007, LogLevel.Warning, "There is no {Path} and no logFile: what happens from now on is not logged")]
    public static partial void NoSystemLog(ILogger logger, string path);

    [LoggerMessage(9008, LogLevel.Warning, "The catalog {Catalog} has no version, but {Storage} holds some: 'benji rebuild --force' makes the catalog "
        + "from the storages")]
    public static partial void CatalogIsEmpty(ILogger logger, string catalog, string storage);

    [LoggerMessage(9004, LogLevel.Warning, "{Signal}: stopping after the step under way; once more ends at once")]
    public static partial void Stopping(ILogger logger, string signal);
}
