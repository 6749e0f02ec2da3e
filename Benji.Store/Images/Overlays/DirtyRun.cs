namespace Benji.Store.Images.Overlays;

/// <summary>Bytes that an overlay holds itself: whole units, the last one of the image possibly short.</summary>
/// <param name="Offset">The first byte.</param>
/// <param name="Length">Bytes in the run.</param>
/// <param name="IsZero">True when all of them are zeros, which no byte of the file stands for.</param>
internal readonly record struct DirtyRun(long Offset, long Length, bool IsZero);
