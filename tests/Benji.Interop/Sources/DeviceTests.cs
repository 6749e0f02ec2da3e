using Benji.Store.Model;
using Benji.Store.Sources;
using Benji.Store.Sources.Files;
using Xunit;

namespace Benji.Interop.Sources;

public sealed class DeviceTests : IDisposable
{
    private const int DeviceSize = 8 * 1024 * 1024;

    private static readonly SourceOpener Opener = new(IoOptions.Default);

    private readonly byte[] _content = new byte[DeviceSize];
    private readonly LoopDevice _device;

    public DeviceTests()
    {
        new Random(7).NextBytes(_content);
        _device = new LoopDevice(_content);
    }

    public void Dispose() => _device.Dispose();

    [Fact]
    public async Task ADeviceIsReadAsItIs()
    {
        await using var source = Opener.OpenSource($"file:{_device.Path}");
        Assert.Equal(DeviceSize, source.Size);
        Assert.Equal(new Extent(4096, DeviceSize - 4096, ExtentKind.Data), source.FindData(4096));
        Assert.Null(source.FindData(DeviceSize));
        var read = new byte[DeviceSize];
        await source.ReadAsync(0, read, CancellationToken.None);
        source.Release(0, DeviceSize);
        Assert.True(read.AsSpan().SequenceEqual(_content));
    }

    [Fact]
    public void ADeviceNeedsForce()
    {
        var error = Assert.Throws<AlreadyExistsException>(() => Opener.OpenTarget(_device.Path, 4096, force: false));
        Assert.Contains("--force", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADeviceThatIsTooSmallIsRefused()
    {
        var error = Assert.Throws<UsageException>(() => Opener.OpenTarget(_device.Path, DeviceSize + 1, force: true));
        Assert.Contains("has 8388608 bytes, too few for a version of 8388609 bytes", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AMountedDeviceIsRefusedWhateverTheFlags(bool force)
    {
        LoopDevice.Run("mkfs.ext4", "-q", "-F", _device.Path);
        var mountPoint = Directory.CreateDirectory(_device.Directory["mount point"]).FullName;
        LoopDevice.Run("mount", _device.Path, mountPoint);
        try
        {
            var error = Assert.Throws<InUseException>(() => Opener.OpenTarget(_device.Path, 4096, force));
            Assert.Contains($"is mounted at {mountPoint}", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            LoopDevice.Run("umount", mountPoint);
        }
    }

    [Fact]
    public void TheFileUnderAnAttachedDeviceIsRefused()
    {
        var backing = _device.Directory["backing"];
        var error = Assert.Throws<InUseException>(() => Opener.OpenTarget(backing, DeviceSize, force: true));
        Assert.Contains(_device.Path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADeviceIsClaimedWhileItIsWritten()
    {
        await using (Opener.OpenTarget(_device.Path, 4096, force: true))
        {
            var error = Assert.Throws<InUseException>(() => Opener.OpenTarget(_device.Path, 4096, force: true));
            Assert.Contains("in use by another program", error.Message, StringComparison.Ordinal);
            var failure = Assert.Throws<InvalidOperationException>(() =>
                LoopDevice.Run("mount", "-t", "ext4", _device.Path, _device.Directory.Path));
            Assert.Contains("busy", failure.Message, StringComparison.Ordinal);
        }

        await using var again = Opener.OpenTarget(_device.Path, 4096, force: true);
        Assert.False(again.IsZeroed);
    }

    [Fact]
    public async Task AlignedMemoryGoesAroundThePageCache()
    {
        await using var target = DeviceTarget.Open(_device.Path, "the device", DeviceSize);
        Assert.True(target.IsDirect);
        using var buffer = new BlockBufferPool(0).Rent(65536);
        buffer.Span.Fill(9);
        await target.WriteAsync(65536, buffer.Memory, CancellationToken.None);
        Assert.True(target.IsDirect);
    }

    [Fact]
    public void ADeviceFileWithoutADriverIsNamed()
    {
        // Major 240 is for local use: nothing is registered there.
        var path = _device.Directory["device"];
        LoopDevice.Run("mknod", path, "b", "240", "200");
        var error = Assert.Throws<StorageException>(() => Opener.OpenSource(path));
        Assert.Contains("Cannot read", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<StorageException>(() => Opener.OpenTarget(path, 4096, force: true));
        Assert.Contains("Cannot write", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADeviceWithoutAMediumIsNotBackedUpAsNothing()
    {
        using var empty = new LoopDevice([]);
        var error = Assert.Throws<StorageException>(() => Opener.OpenSource(empty.Path));
        Assert.Contains("has no bytes", error.Message, StringComparison.Ordinal);
    }
}
