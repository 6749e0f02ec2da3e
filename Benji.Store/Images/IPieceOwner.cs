namespace Benji.Store.Images;

/// <summary>Whoever lends the memory of a piece: it stays as it is until the piece is released.</summary>
public interface IPieceOwner
{
    /// <summary>Says that one piece is no longer looked at; called once for each piece, from any thread.</summary>
    void Release();
}
