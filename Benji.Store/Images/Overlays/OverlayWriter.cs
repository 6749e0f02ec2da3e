using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;

namespace Benji.Store.Images.Overlays;

/// <summary>Writes to an overlay: whole units as they come, parts of a unit merged with what is there.</summary>
/// <remarks>Safe for concurrent calls: writers of one unit take turns, so that neither loses the other's bytes.</remarks>
internal sealed class OverlayWriter(
    OverlayFile file, OverlayReader reader, RangeLocks locks, PiecePool pool, ContentTime changed)
{
    /// <summary>Makes whole units zeros.</summary>
    public required OverlayZeroing Zeroing { get; init; }

    private OverlayLayout Layout => file.Layout;

    /// <summary>As <see cref="IWritableImage.WriteAsync"/>.</summary>
    public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        Invariant.Holds(offset >= 0 && !data.IsEmpty && offset + data.Length <= Layout.Size);
        using var claim = await locks.AcquireAsync(UnitRange.Touched(offset, data.Length), cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        changed.Note();
        try
        {
            var end = offset + data.Length;
            for (var at = offset; at < end;)
            {
                var stop = WholeUnitsEnd(at, end);
                if (stop > at)
                {
                    file.WriteUnits(UnitRange.Touched(at, stop - at), data.Span[(int)(at - offset)..(int)(stop - offset)]);
                }
                else
                {
                    stop = PartEnd(at, end);
                    await WritePartAsync(at, data[(int)(at - offset)..(int)(stop - offset)]);
                }

                at = stop;
            }
        }
        catch (CorruptDataException fault)
        {
            throw new DamagedImageException(fault.Message, offset, fault);
        }
        finally
        {
            changed.Note();
        }
    }

    /// <summary>As <see cref="IWritableImage.ZeroAsync"/>.</summary>
    public async ValueTask ZeroAsync(long offset, long length, bool mayFreeSpace, CancellationToken cancellationToken)
    {
        Invariant.Holds(offset >= 0 && length > 0 && offset + length <= Layout.Size);
        using var claim = await locks.AcquireAsync(UnitRange.Touched(offset, length), cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        changed.Note();
        try
        {
            var end = offset + length;
            for (var at = offset; at < end;)
            {
                var stop = WholeUnitsEnd(at, end);
                if (stop > at)
                {
                    await Zeroing.RunAsync(at, stop - at, mayFreeSpace);
                }
                else
                {
                    stop = PartEnd(at, end);
                    await WritePartAsync(at, ImagePieces.Zeros[..(int)(stop - at)]);
                }

                at = stop;
            }
        }
        catch (CorruptDataException fault)
        {
            throw new DamagedImageException(fault.Message, offset, fault);
        }
        finally
        {
            changed.Note();
        }
    }

    /// <summary>As <see cref="IWritableImage.RevertAsync"/>.</summary>
    public async ValueTask RevertAsync(long offset, long length, CancellationToken cancellationToken)
    {
        Invariant.Holds(offset >= 0 && length > 0 && offset + length <= Layout.Size && WholeUnitsEnd(offset, offset + length) == offset + length);
        var range = UnitRange.Touched(offset, length);
        using var claim = await locks.AcquireAsync(range, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        changed.Note();
        try
        {
            file.Revert(range);
        }
        catch (CorruptDataException fault)
        {
            throw new DamagedImageException(fault.Message, offset, fault);
        }
        finally
        {
            changed.Note();
        }
    }

    // Where whole units that begin at an offset end; the offset itself when there is none.
    private long WholeUnitsEnd(long at, long end)
    {
        if (at % OverlayLayout.UnitSize != 0)
        {
            return at;
        }

        return end == Layout.Size ? end : end / OverlayLayout.UnitSize * OverlayLayout.UnitSize;
    }

    private static long PartEnd(long at, long end) =>
        Math.Min(end, ((at / OverlayLayout.UnitSize) + 1) * OverlayLayout.UnitSize);

    // The base is read to its end whatever happens to the caller: a write is not left half done.
    private async ValueTask WritePartAsync(long offset, ReadOnlyMemory<byte> part)
    {
        var unit = offset / OverlayLayout.UnitSize;
        var state = file.StateOf(unit);
        if (state == UnitState.Data)
        {
            file.Write(offset, part.Span);
            return;
        }

        var piece = pool.Rent();
        try
        {
            var start = unit * OverlayLayout.UnitSize;
            var whole = piece.Memory[..Layout.UnitLength(unit)];
            if (state == UnitState.Zero)
            {
                whole.Span.Clear();
            }
            else
            {
                await reader.ReadBaseAsync(start, whole, CancellationToken.None);
            }

            part.Span.CopyTo(whole.Span[(int)(offset - start)..]);
            file.WriteUnits(new UnitRange(unit, 1), whole.Span);
        }
        finally
        {
            piece.Release();
        }
    }
}
