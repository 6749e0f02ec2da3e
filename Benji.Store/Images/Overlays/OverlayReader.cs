using System.Diagnostics.CodeAnalysis;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;

namespace Benji.Store.Images.Overlays;

/// <summary>Reads an overlay: units of its own from its file, the rest from its base.</summary>
/// <remarks>Safe for concurrent calls, also beside writers.</remarks>
internal sealed class OverlayReader(OverlayFile file, IImage baseImage, PiecePool pool)
{
    /// <summary>Reads of more bytes move to another thread before they touch the file.</summary>
    private const int InlineMax = 1024 * 1024;

    private readonly Lock _scratchLock = new();
    private readonly Stack<ImagePieces> _scratch = [];

    /// <summary>As <see cref="IImage.TryRead"/>; bytes of the overlay's own are read from its file at once.</summary>
    public bool TryRead(long offset, int length, ImagePieces pieces)
    {
        Invariant.Holds(pieces.Count == 0);
        try
        {
            if (IsAllBase(offset, length))
            {
                return baseImage.TryRead(offset, length, pieces);
            }

            if (length <= InlineMax && TryAddPieces(offset, length, pieces))
            {
                return true;
            }
        }
        catch (BenjiException)
        {
            // The read that waits meets it again, and may throw.
        }

        pieces.Clear();
        return false;
    }

    /// <summary>As <see cref="IImage.ReadAsync"/>.</summary>
    public async ValueTask ReadAsync(long offset, int length, ImagePieces pieces, CancellationToken cancellationToken)
    {
        Invariant.Holds(pieces.Count == 0);
        try
        {
            if (length > InlineMax)
            {
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            }

            while (!await TryReadAsync(offset, length, pieces, cancellationToken))
            {
                // Space was being freed, which takes no longer than a call of the file system.
                pieces.Clear();
                await Task.Yield();
            }
        }
        catch (CorruptDataException fault)
        {
            pieces.Clear();
            throw new DamagedImageException(fault.Message, offset, fault);
        }
        catch
        {
            pieces.Clear();
            throw;
        }
    }

    /// <summary>Reads bytes of the base, whatever the overlay holds there.</summary>
    /// <exception cref="DamagedImageException">They are damaged.</exception>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async ValueTask ReadBaseAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        using var scratch = RentScratch();
        await ReadBaseAsync(offset, destination.Length, scratch.Pieces, cancellationToken);
        scratch.Pieces.CopyTo(destination.Span);
    }

    /// <summary>Fetches what the base must give of a range.</summary>
    /// <exception cref="StorageException">The storage or the overlay's file failed.</exception>
    public async ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken)
    {
        var end = offset + length;
        for (var at = offset; at < end;)
        {
            var stop = FindRunEnd(at, end, out var state);
            if (state == UnitState.Base)
            {
                await baseImage.PrefetchAsync(at, stop - at, cancellationToken);
            }

            at = stop;
        }
    }

    private bool IsAllBase(long offset, int length) =>
        FindRunEnd(offset, offset + length, out var state) == offset + length && state == UnitState.Base;

    private bool TryAddPieces(long offset, int length, ImagePieces pieces)
    {
        using var scratch = RentScratch();
        var end = offset + length;
        for (var at = offset; at < end;)
        {
            var token = file.BeginRead();
            var stop = FindRunEnd(at, end, out var state);
            if (state == UnitState.Base)
            {
                if (!baseImage.TryRead(at, (int)(stop - at), scratch.Pieces))
                {
                    return false;
                }

                scratch.Pieces.MoveTo(pieces);
            }
            else if (!TryAddOwn(token, at, (int)(stop - at), state, pieces))
            {
                return false;
            }

            at = stop;
        }

        return true;
    }

    private async ValueTask<bool> TryReadAsync(
        long offset, int length, ImagePieces pieces, CancellationToken cancellationToken)
    {
        using var scratch = RentScratch();
        var end = offset + length;
        for (var at = offset; at < end;)
        {
            var token = file.BeginRead();
            var stop = FindRunEnd(at, end, out var state);
            if (state == UnitState.Base)
            {
                await ReadBaseAsync(at, (int)(stop - at), scratch.Pieces, cancellationToken);
                scratch.Pieces.MoveTo(pieces);
            }
            else if (!TryAddOwn(token, at, (int)(stop - at), state, pieces))
            {
                return false;
            }

            at = stop;
        }

        return true;
    }

    private bool TryAddOwn(long token, long offset, int length, UnitState state, ImagePieces pieces)
    {
        if (state == UnitState.Zero)
        {
            pieces.AddHole(length);
            return true;
        }

        while (length > 0)
        {
            var piece = pool.Rent();
            var memory = piece.Memory[..Math.Min(length, PiecePool.PieceSize)];
            pieces.Add(memory, piece);
            if (!file.TryRead(token, offset, memory.Span))
            {
                return false;
            }

            offset += memory.Length;
            length -= memory.Length;
        }

        return true;
    }

    private long FindRunEnd(long offset, long end, out UnitState state) => Math.Min(
        end,
        OverlayLayout.UnitSize * file.FindRunEnd(
            offset / OverlayLayout.UnitSize, UnitRange.Touched(offset, end - offset).End, out state));

    private async ValueTask ReadBaseAsync(
        long offset, int length, ImagePieces pieces, CancellationToken cancellationToken)
    {
        if (!baseImage.TryRead(offset, length, pieces))
        {
            await baseImage.ReadAsync(offset, length, pieces, cancellationToken);
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The scratch gives its pieces back, and they are used again.")]
    private Scratch RentScratch()
    {
        lock (_scratchLock)
        {
            return new Scratch(this, _scratch.TryPop(out var pieces) ? pieces : new ImagePieces());
        }
    }

    // Pieces for a part of a read, empty when rented and when given back.
    private readonly record struct Scratch(OverlayReader Reader, ImagePieces Pieces) : IDisposable
    {
        public void Dispose()
        {
            Pieces.Clear();
            lock (Reader._scratchLock)
            {
                Reader._scratch.Push(Pieces);
            }
        }
    }
}
