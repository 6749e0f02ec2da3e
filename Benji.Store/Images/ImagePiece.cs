namespace Benji.Store.Images;

/// <summary>A part of what was read, in order: lent memory, or a run of zeros that no memory stands for.</summary>
/// <remarks>The memory never moves (it is pinned or native), so that its address may be handed to the kernel.</remarks>
/// <param name="Memory">The bytes; empty for zeros.</param>
/// <param name="Length">Bytes in the piece, at least 1.</param>
public readonly record struct ImagePiece(ReadOnlyMemory<byte> Memory, int Length)
{
    /// <summary>True when the piece is zeros that are recorded, not held in memory.</summary>
    public bool IsHole => Memory.IsEmpty;
}
