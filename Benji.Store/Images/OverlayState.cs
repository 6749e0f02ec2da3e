namespace Benji.Store.Images;

/// <summary>What is known of an overlay without opening it.</summary>
/// <param name="LastChange">When its content last changed, UTC, in whichever process.</param>
/// <param name="TakenBytes">Bytes of disk that it takes: no more than those hold what was written to it.</param>
public readonly record struct OverlayState(DateTimeOffset LastChange, long TakenBytes);
