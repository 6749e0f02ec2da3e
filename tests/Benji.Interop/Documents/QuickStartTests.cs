using Benji.Interop.Cli;
using Xunit;

namespace Benji.Interop.Documents;

/// <summary>The commands that README.md shows under "Quick start" work as they stand there.</summary>
public sealed class QuickStartTests : IDisposable
{
    private readonly BenjiProgram _benji = new();

    [Fact]
    public async Task TheCommandsOfTheReadmeWork()
    {
        var image = _benji.WriteImage("disk.img", 5_000_001, seed: 11);
        var blocks = Documented.Blocks("README.md", "Quick start");
        Assert.Equal(2, blocks.Count);
        var result = await _benji.ShellAsync("set -eux\n" + string.Concat(blocks));
        Assert.True(result.ExitCode == 0, result.Error);
        var expected = await File.ReadAllBytesAsync(image);
        var restored = await File.ReadAllBytesAsync(_benji["copy.img"]);
        Assert.True(restored.AsSpan().SequenceEqual(expected), "The restored image differs.");
        Assert.True(File.Exists(_benji["benji.key"]));
    }

    public void Dispose() => _benji.Dispose();
}
