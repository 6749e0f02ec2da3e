using Benji.Store.Model;

namespace Benji.Store.Images;

/// <summary>The pieces of one read, lent until they are cleared; made once and used for one read after another.</summary>
/// <remarks>For one caller at a time. Adding and clearing allocate nothing once it has grown to the largest read.</remarks>
public sealed class ImagePieces : IDisposable
{
    private const int CapacityInitial = 32;

    private ImagePiece[] _pieces = new ImagePiece[CapacityInitial];
    private IPieceOwner?[] _owners = new IPieceOwner?[CapacityInitial];

    /// <summary>64 KiB of zeros at an address that does not change, for writers that need memory behind a hole.</summary>
    public static ReadOnlyMemory<byte> Zeros { get; } = GC.AllocateArray<byte>(BlockGeometry.FrameSize, pinned: true);

    /// <summary>Pieces held.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes in all pieces.</summary>
    public long Length { get; private set; }

    /// <summary>The pieces in the order of their offsets; valid until the next change.</summary>
    public ReadOnlySpan<ImagePiece> Pieces => _pieces.AsSpan(0, Count);

    /// <summary>Adds lent memory behind what is there.</summary>
    /// <param name="memory">At least one byte, pinned or native; it stays as it is until it is released.</param>
    /// <param name="owner">Released by <see cref="Clear"/>, once for this piece; null when nobody waits for that.</param>
    public void Add(ReadOnlyMemory<byte> memory, IPieceOwner? owner)
    {
        Invariant.Holds(!memory.IsEmpty);
        Add(new ImagePiece(memory, memory.Length), owner);
    }

    /// <summary>Adds zeros behind what is there; a run of them is one piece.</summary>
    /// <param name="length">At least 1.</param>
    public void AddHole(int length)
    {
        Invariant.Holds(length > 0);
        if (Count > 0 && _pieces[Count - 1].IsHole)
        {
            _pieces[Count - 1] = new ImagePiece(default, _pieces[Count - 1].Length + length);
            Length += length;
            return;
        }

        Add(new ImagePiece(default, length), owner: null);
    }

    /// <summary>Copies all bytes, zeros included, to a span of exactly <see cref="Length"/> bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        Invariant.Holds(destination.Length == Length);
        foreach (var piece in Pieces)
        {
            if (piece.IsHole)
            {
                destination[..piece.Length].Clear();
            }
            else
            {
                piece.Memory.Span.CopyTo(destination);
            }

            destination = destination[piece.Length..];
        }
    }

    /// <summary>Moves all pieces, with what they owe their owners, behind those of another; none is left here.</summary>
    public void MoveTo(ImagePieces destination)
    {
        Invariant.Holds(destination != this);
        for (var i = 0; i < Count; i++)
        {
            if (_pieces[i].IsHole)
            {
                destination.AddHole(_pieces[i].Length);
            }
            else
            {
                destination.Add(_pieces[i], _owners[i]);
            }
        }

        Forget();
    }

    /// <summary>Gives all memory back; the pieces are gone.</summary>
    public void Clear()
    {
        for (var i = 0; i < Count; i++)
        {
            _owners[i]?.Release();
        }

        Forget();
    }

    /// <summary>Gives all memory back.</summary>
    public void Dispose() => Clear();

    private void Forget()
    {
        Array.Clear(_owners, 0, Count);
        Array.Clear(_pieces, 0, Count);
        Count = 0;
        Length = 0;
    }

    private void Add(ImagePiece piece, IPieceOwner? owner)
    {
        if (Count == _pieces.Length)
        {
            Array.Resize(ref _pieces, 2 * Count);
            Array.Resize(ref _owners, 2 * Count);
        }

        _pieces[Count] = piece;
        _owners[Count] = owner;
        Count++;
        Length += piece.Length;
    }
}
