using Benji.Store.Model;

namespace Benji.Store.Images.Overlays;

/// <summary>Lends pinned memory for what is read from overlay files, and keeps what comes back for the next read.</summary>
/// <remarks>Safe for concurrent calls. Idle memory is at most 8 MiB.</remarks>
internal sealed class PiecePool
{
    /// <summary>Bytes in one piece.</summary>
    public const int PieceSize = BlockGeometry.FrameSize;

    private const int IdleMax = 128;

    private readonly Lock _idleLock = new();
    private readonly Stack<PooledPiece> _idle = new(IdleMax);

    /// <summary>Lends a piece; allocates only when none is idle.</summary>
    public PooledPiece Rent()
    {
        lock (_idleLock)
        {
            if (_idle.TryPop(out var piece))
            {
                return piece;
            }
        }

        return new PooledPiece(this);
    }

    private void Return(PooledPiece piece)
    {
        lock (_idleLock)
        {
            if (_idle.Count < IdleMax)
            {
                _idle.Push(piece);
            }
        }
    }

    /// <summary>One lent piece of memory.</summary>
    internal sealed class PooledPiece(PiecePool pool) : IPieceOwner
    {
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(PieceSize, pinned: true);

        /// <summary>Its <see cref="PieceSize"/> bytes.</summary>
        public Memory<byte> Memory => _bytes;

        /// <inheritdoc/>
        public void Release() => pool.Return(this);
    }
}
