using Benji.Store.Sources;
using Benji.Tests.Sources;

namespace Benji.Interop.Sources;

public sealed class DeviceTargetTests : TargetContract
{
    private const int DeviceSize = Size / 4096 * 4096 + (3 * 4096);

    private static readonly SourceOpener Opener = new(IoOptions.Default);

    private readonly byte[] _before = new byte[DeviceSize];
    private readonly LoopDevice _device;

    public DeviceTargetTests()
    {
        new Random(99).NextBytes(_before);
        _device = new LoopDevice(_before);
    }

    internal override ITarget Open() => Opener.OpenTarget(_device.Path, Size, force: true);

    // What lies behind the version's end is part of it: it must stay as it was.
    internal override byte[] Content()
    {
        var content = new byte[DeviceSize];
        using var file = new FileStream(_device.Path, FileMode.Open, FileAccess.Read);
        file.ReadExactly(content);
        return content;
    }

    internal override byte[] Before() => [.. _before];

    protected override void Dispose(bool disposing)
    {
        _device.Dispose();
        base.Dispose(disposing);
    }
}
