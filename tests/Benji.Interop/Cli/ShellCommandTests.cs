using System.Diagnostics;
using System.Globalization;
using Benji.Cli.Configuration;
using Benji.Testing;
using Xunit;

namespace Benji.Interop.Cli;

public sealed class ShellCommandTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("echo 'a secret'; echo more", "a secret")]
    [InlineData("printf 'no end'", "no end")]
    [InlineData("printf 'windows\\r\\n'", "windows")]
    [InlineData("cat; echo empty input", "empty input")]
    [InlineData("echo first; head -c 1000000 /dev/zero", "first")]
    public void TheFirstLineIsTheSecret(string command, string line) =>
        Assert.Equal(line, ShellCommand.FirstLine(command, Long));

    [Theory]
    [InlineData("echo SECRET; exit 3", "it ended with exit code 3")]
    [InlineData("true # SECRET", "its first line of output is empty")]
    [InlineData("echo; echo SECRET", "its first line of output is empty")]
    [InlineData("head -c 100000 /dev/zero", "its first line of output is longer than 65536 bytes")]
    public void AFailureIsNamedWithoutCommandAndOutput(string command, string message)
    {
        var error = Assert.Throws<CommandFailedException>(() => ShellCommand.FirstLine(command, Long));
        Assert.Equal(message, error.Message);
    }

    [Fact]
    public void ACommandThatTakesTooLongIsKilledWithItsChildren()
    {
        using var directory = new TemporaryDirectory();
        var watch = Stopwatch.StartNew();
        var error = Assert.Throws<CommandFailedException>(() => ShellCommand.FirstLine(
            $"sh -c 'echo $$ > {directory["pid"]}; exec sleep 600'; echo done", TimeSpan.FromSeconds(1)));
        Assert.Equal("it took longer than 1 s", error.Message);
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(20));
        Assert.True(HasEnded(int.Parse(File.ReadAllText(directory["pid"]), CultureInfo.InvariantCulture)));
    }

    // Being killed takes a moment after the signal was sent.
    private static bool HasEnded(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return process.WaitForExit(Long);
        }
        catch (ArgumentException)
        {
            // There is no such process any more.
            return true;
        }
    }
}
