using Benji.Store.Model;

namespace Benji.Store.Operations.Backup.Planning;

/// <summary>The frames of one block that changed extents touch, and those of them that must be read to be known.</summary>
/// <param name="blockLength">Bytes of the block.</param>
internal sealed class TouchedFrames(int blockLength)
{
    /// <summary>The frames to read; those that changed and are not read are zeros.</summary>
    public FrameSet Read { get; } = new(BlockGeometry.FrameCount(blockLength));

    /// <summary>The frames that may differ from the base's.</summary>
    public FrameSet Changed { get; } = new(BlockGeometry.FrameCount(blockLength));

    /// <summary>Adds a changed extent, inside the block and counted from its start.</summary>
    public void Add(Extent extent)
    {
        Changed.AddTouched(extent.Offset, extent.Length);
        if (extent.Kind == ExtentKind.Data)
        {
            Read.AddTouched(extent.Offset, extent.Length);
            return;
        }

        // Only a frame that is covered from end to end is known to be zeros.
        if (extent.Offset % BlockGeometry.FrameSize != 0)
        {
            Read.AddTouched(extent.Offset, 1);
        }

        if (extent.End % BlockGeometry.FrameSize != 0 && extent.End != blockLength)
        {
            Read.AddTouched(extent.End - 1, 1);
        }
    }
}
