using Xunit;
using static Benji.Interop.Mount.MountedImages;

namespace Benji.Interop.Mount;

public sealed class KernelReadTests : IAsyncLifetime
{
    private const int Size = (3 * 1024 * 1024) + 4096 + 17;

    private readonly MountedImages _mounted = new();
    private readonly byte[] _content = Content(Size, seed: 1);

    public async Task InitializeAsync()
    {
        _mounted.Images.Add("vm/one", _content);
        await File.WriteAllBytesAsync(_mounted.Beside["one"], _content);
        await _mounted.InitializeAsync();
    }

    public Task DisposeAsync() => _mounted.DisposeAsync();

    [Fact]
    public async Task AVersionIsReadByteForByte()
    {
        await ShellAsync($"cmp {_mounted.Beside["one"]} {_mounted["vm/one.img"]}");
        Assert.Equal(
            $"{Size} 400 0", await ShellAsync($"stat -c '%s %a %u' {_mounted["vm/one.img"]}"));
    }

    [Fact]
    public async Task DirectReadsOfAnySizeAreTheSame()
    {
        foreach (var size in new[] { "4096", "65536", "1M", "4M" })
        {
            await ShellAsync(
                $"dd if={_mounted["vm/one.img"]} iflag=direct bs={size} status=none | cmp - {_mounted.Beside["one"]}");
        }
    }
}
