using System.Text;
using System.Text.Json;
using Benji.Cli.Logging;
using Benji.Cli.Streams;
using Benji.Store.Model;
using Benji.Testing;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Benji.Tests.Cli.Logging;

public sealed partial class LogOutputTests : IDisposable
{
    private readonly MemoryStream _stream = new();
    private readonly TemporaryDirectory _directory = new();

    [LoggerMessage(17, LogLevel.Information, "Read {Blocks} blocks of {Volume}")]
    private static partial void BlocksRead(ILogger logger, int blocks, string volume);

    [LoggerMessage(18, LogLevel.Warning, "Slow")]
    private static partial void Slow(ILogger logger, Exception? cause);

    [Fact]
    public void PlainLinesStartWithTheLevel()
    {
        using var log = Plain(LogLevel.Information, hasColor: false);
        var logger = log.CreateLogger("Test");
        BlocksRead(logger, 3, "vm\nx");
        Slow(logger, new IOException("why"));
        Assert.Equal("   INFO: Read 3 blocks of vm x\nWARNING: Slow: why\n", Written);
    }

    [Fact]
    public void ColorsAreForTerminals()
    {
        using var log = Plain(LogLevel.Information, hasColor: true);
        Slow(log.CreateLogger("Test"), null);
        Assert.Equal("\u001b[33mWARNING\u001b[0m: Slow\n", Written);
    }

    [Fact]
    public void LessThanTheLevelIsNotWritten()
    {
        using var log = Plain(LogLevel.Warning, hasColor: false);
        var logger = log.CreateLogger("Test");
        Assert.False(logger.IsEnabled(LogLevel.Information));
        BlocksRead(logger, 3, "vm");
        Assert.Equal("", Written);
    }

    [Fact]
    public void JsonLinesHaveTheOriginalsFields()
    {
        using var log = new LogOutput(LogLevel.Information, new JsonLogWriter(Errors(false)), new SteppedClock());
        BlocksRead(log.CreateLogger("Test"), 3, "vm\n\"x\"");
        using var document = JsonDocument.Parse(Assert.Single(Written.TrimEnd('\n').Split('\n')));
        var line = document.RootElement;
        Assert.Equal("Read 3 blocks of vm\n\"x\"", line.GetProperty("event").GetString());
        Assert.Equal("info", line.GetProperty("level").GetString());
        Assert.Equal(1795401901m, line.GetProperty("timestamp").GetDecimal());
        Assert.Equal("Test", line.GetProperty("logger").GetString());
        Assert.Equal(17, line.GetProperty("event_id").GetInt32());
        Assert.Equal(Environment.ProcessId, line.GetProperty("process").GetInt32());
        Assert.False(line.TryGetProperty("exception", out _));
    }

    [Fact]
    public void AFailureIsOneLineWithoutATrace()
    {
        using var log = Plain(LogLevel.Information, hasColor: false);
        log.WriteFailure(66, "There is no version.", new NotFoundException("There is no version."));
        Assert.Equal("benji: There is no version.\n", Written);
    }

    [Theory]
    [InlineData(66, LogLevel.Debug)]
    [InlineData(70, LogLevel.Error)]
    public void ATraceIsForBugsAndForDebugging(int code, LogLevel level)
    {
        using var log = Plain(level, hasColor: false);
        log.WriteFailure(code, "Oh.", new InvalidOperationException("why"));
        Assert.StartsWith("benji: Oh.\nSystem.InvalidOperationException: why", Written, StringComparison.Ordinal);
    }

    [Fact]
    public void AFailureIsJsonWithItsExitCodeInMachineOutput()
    {
        using var log = new LogOutput(LogLevel.Information, new JsonLogWriter(Errors(false)), new SteppedClock());
        log.WriteFailure(66, "There is no version.", new NotFoundException("There is no version."));
        using var document = JsonDocument.Parse(Written);
        Assert.Equal(66, document.RootElement.GetProperty("exit_code").GetInt32());
        Assert.False(document.RootElement.TryGetProperty("exception", out _));
    }

    [Fact]
    public void TheFileTakesInformationEvenWhenTheTerminalDoesNot()
    {
        var path = _directory["benji.log"];
        using (var log = Plain(LogLevel.Warning, hasColor: false))
        {
            log.AddFile(path);
            BlocksRead(log.CreateLogger("Test"), 3, "vm");
        }

        Assert.Equal("", Written);
        Assert.Equal(
            $"2026-11-23T02:45:01.000000Z    INFO [{Environment.ProcessId}] Read 3 blocks of vm\n", File.ReadAllText(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public void TheFileIsAppendedTo()
    {
        var path = _directory["benji.log"];
        File.WriteAllText(path, "before\n");
        using (var log = Plain(LogLevel.Warning, hasColor: false))
        {
            log.AddFile(path);
            Slow(log.CreateLogger("Test"), null);
        }

        Assert.StartsWith("before\n2026-", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Fact]
    public void AFileThatCannotBeOpenedIsAFaultOfTheConfiguration()
    {
        var failure = Assert.Throws<ConfigurationException>(() => new LogFile(_directory["missing/benji.log"]).Dispose());
        Assert.Contains("missing/benji.log", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("trace", LogLevel.Trace)]
    [InlineData("DEBUG", LogLevel.Debug)]
    [InlineData("Info", LogLevel.Information)]
    [InlineData("WARNING", LogLevel.Warning)]
    [InlineData("error", LogLevel.Error)]
    public void LevelsAreKnownInAnyCase(string name, LogLevel level)
    {
        Assert.Equal(level, LogLevels.Parse(name));
        Assert.Equal(name.ToUpperInvariant(), LogLevels.NameOf(level));
    }

    [Fact]
    public void AnUnknownLevelIsRefused() => Assert.Throws<UsageException>(() => LogLevels.Parse("LOUD"));

    public void Dispose()
    {
        _stream.Dispose();
        _directory.Dispose();
    }

    private string Written => Encoding.UTF8.GetString(_stream.ToArray());

    private ErrorOutput Errors(bool hasColor) => new(_stream, isTerminal: false, () => 80, hasColor);

    private LogOutput Plain(LogLevel level, bool hasColor) => new(
        level, new PlainLogWriter(Errors(hasColor), hasTraces: level < LogLevel.Information), new SteppedClock());
}
