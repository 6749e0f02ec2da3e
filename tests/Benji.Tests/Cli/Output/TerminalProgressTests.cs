using System.Text;
using Benji.Cli.Output;
using Benji.Cli.Streams;
using Benji.Store.Operations;
using Xunit;

namespace Benji.Tests.Cli.Output;

public sealed class TerminalProgressTests : IDisposable
{
    private readonly MemoryStream _stream = new();

    [Fact]
    public async Task TheLineIsGoneAtTheEnd()
    {
        await using (var progress = new TerminalProgress(Terminal(80), TimeProvider.System))
        {
            progress.StartStage("reading", 100, ProgressUnit.Bytes);
        }

        Assert.StartsWith("\r\u001b[Kreading  ", Written, StringComparison.Ordinal);
        Assert.EndsWith("\r\u001b[K", Written, StringComparison.Ordinal);
    }

    [Fact]
    public void ALineOfTheLogStandsAboveTheLiveOne()
    {
        var terminal = Terminal(80);
        terminal.ShowLive("reading");
        terminal.WriteLine("WARNING: slow");
        Assert.Equal("\r\u001b[Kreading\r\u001b[KWARNING: slow\nreading", Written);
    }

    [Fact]
    public void TheLiveLineNeverWraps()
    {
        Terminal(20).ShowLive(new string('x', 50));
        Assert.Equal($"\r\u001b[K{new string('x', 19)}", Written);
    }

    [Fact]
    public void NothingLiveGoesToAFile()
    {
        var file = new ErrorOutput(_stream, isTerminal: false, () => throw new IOException("no terminal"), hasColor: false);
        file.ShowLive("reading");
        file.WriteLine("done");
        Assert.Equal("done\n", Written);
    }

    public void Dispose() => _stream.Dispose();

    private string Written => Encoding.UTF8.GetString(_stream.ToArray());

    private ErrorOutput Terminal(int width) => new(_stream, isTerminal: true, () => width, hasColor: false);
}
