using Benji.Store.Images;
using Benji.Store.Images.Overlays.Files;

namespace Benji.Tests.Images.Overlays;

/// <summary>What a random step does to an overlay.</summary>
internal enum OverlayAction
{
    /// <summary>Writes bytes.</summary>
    Write,

    /// <summary>Makes zeros and frees their space.</summary>
    Trim,

    /// <summary>Makes zeros that keep their space.</summary>
    Zero,

    /// <summary>Shows the base again.</summary>
    Revert,

    /// <summary>Flushes.</summary>
    Flush,
}

/// <summary>One random step on an overlay.</summary>
internal sealed record OverlayStep(OverlayAction Action, long Offset, int Length, byte[] Data)
{
    private const int Unit = OverlayLayout.UnitSize;

    /// <summary>Makes a step: mostly small and unaligned, now and then long or of whole units.</summary>
    public static OverlayStep Next(Random random, int size, int unitsMax)
    {
        var action = random.Next(10) switch
        {
            < 5 => OverlayAction.Write,
            5 => OverlayAction.Trim,
            6 => OverlayAction.Zero,
            7 => OverlayAction.Revert,
            _ => OverlayAction.Flush,
        };
        var offset = random.Next(size);
        var length = Math.Min(size - offset, random.Next(3) switch
        {
            0 => random.Next(1, 600),
            1 => random.Next(1, Unit * unitsMax),
            _ => Unit * random.Next(1, unitsMax + 1),
        });
        if (action == OverlayAction.Revert || random.Next(2) == 0)
        {
            offset = offset / Unit * Unit;
            var end = Math.Min(size, (offset + length + Unit - 1) / Unit * Unit);
            length = end - offset;
        }

        var data = new byte[action == OverlayAction.Write ? length : 0];
        random.NextBytes(data);
        return new OverlayStep(action, offset, length, data);
    }

    /// <summary>Does it.</summary>
    public ValueTask RunAsync(IWritableImage image) => Action switch
    {
        OverlayAction.Write => image.WriteAsync(Offset, Data, CancellationToken.None),
        OverlayAction.Trim => image.ZeroAsync(Offset, Length, mayFreeSpace: true, CancellationToken.None),
        OverlayAction.Zero => image.ZeroAsync(Offset, Length, mayFreeSpace: false, CancellationToken.None),
        OverlayAction.Revert => image.RevertAsync(Offset, Length, CancellationToken.None),
        _ => image.FlushAsync(CancellationToken.None),
    };
}
