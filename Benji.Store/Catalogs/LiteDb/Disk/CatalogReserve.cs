using Benji.Store.Posix;

namespace Benji.Store.Catalogs.LiteDb.Disk;

/// <summary>The room that small transactions find on a full disk: what makes room there must be recorded first.</summary>
/// <remarks>It is given back piece by piece, as it is needed, so that nobody else takes it first, and filled again as soon as
/// there is room. What makes the store larger never gets any of it. Under the catalog's lock.</remarks>
internal sealed class CatalogReserve(ICatalogRoom room)
{
    /// <summary>Bytes given back at least: file systems take room in steps, and some of it for themselves.</summary>
    public const long Step = 64 << 10;

    private bool _isWhole;

    /// <summary>True when the transaction under way may have of it, once there is no other room.</summary>
    public bool MayTake { get; set; }

    /// <summary>True while whoever writes may have of it.</summary>
    public bool IsOpen { get; set; }

    /// <summary>Bytes in it.</summary>
    /// <exception cref="IOException">It cannot be told.</exception>
    public long Kept => room.Kept;

    /// <summary>Gives back what a write takes.</summary>
    /// <returns>False when it is not open, or nothing is left.</returns>
    /// <exception cref="IOException">It cannot be given back.</exception>
    public bool TryGive(long bytes)
    {
        var kept = IsOpen ? room.Kept : 0;
        if (kept == 0)
        {
            return false;
        }

        _isWhole = false;
        room.Cut(Math.Max(0, kept - bytes - Step));
        return true;
    }

    /// <summary>Says that another process may have taken of it.</summary>
    public void Forget() => _isWhole = false;

    /// <summary>Fills it as far as there is room; costs nothing while it is whole.</summary>
    /// <exception cref="IOException">It cannot be looked up.</exception>
    public void Fill()
    {
        if (_isWhole)
        {
            return;
        }

        var wanted = room.Wanted;
        _isWhole = room.TryKeep(wanted);
        for (var part = (wanted - room.Kept) / 2; !_isWhole && part >= Step; part /= 2)
        {
            room.TryKeep(room.Kept + part);
        }
    }
}

/// <summary>A file of a catalog that grows into the reserve when the disk is full.</summary>
internal sealed class ReservedFile(ICatalogFile file, CatalogReserve reserve) : ICatalogFile
{
    /// <inheritdoc/>
    public long Length => file.Length;

    /// <inheritdoc/>
    public int Read(long offset, Span<byte> destination) => file.Read(offset, destination);

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        while (!TryWrite(offset, source))
        {
            // Once more, in the room that was given back.
        }
    }

    /// <inheritdoc/>
    public void Truncate(long length) => file.Truncate(length);

    /// <inheritdoc/>
    public void Sync() => file.Sync();

    private bool TryWrite(long offset, ReadOnlySpan<byte> source)
    {
        try
        {
            file.Write(offset, source);
            return true;
        }
        catch (PosixException failure) when (failure.LacksRoom)
        {
            if (!reserve.TryGive(source.Length))
            {
                throw;
            }

            return false;
        }
    }
}
