using Benji.Nbd.Protocol;
using Benji.Store.Model;

namespace Benji.Nbd.Session.Requests;

/// <summary>Why a request failed, as the client is told.</summary>
/// <param name="Error">The protocol's error.</param>
/// <param name="Text">For a person, one line.</param>
/// <param name="Offset">The first byte concerned, if that is known.</param>
internal readonly record struct Failure(NbdError Error, string Text, ulong? Offset = null)
{
    /// <summary>True when there is no failure.</summary>
    public bool IsNone => Error == NbdError.None;

    /// <summary>Translates what the store throws; the one place that does.</summary>
    /// <remarks>proto.md, "Error values".</remarks>
    public static Failure Of(Exception cause) => cause switch
    {
        DamagedImageException damaged => new(NbdError.InputOutput, damaged.Message, (ulong)damaged.Offset),
        NoSpaceException full => new(NbdError.NoSpace, full.Message),
        ReadOnlyException fixedPlace => new(NbdError.NotPermitted, fixedPlace.Message),
        NotAllowedException forbidden => new(NbdError.NotPermitted, forbidden.Message),
        BenjiException other => new(NbdError.InputOutput, other.Message),
        OperationCanceledException => new(NbdError.InputOutput, "The storage did not answer in time."),
        IOException broken => new(NbdError.InputOutput, broken.Message),
        _ => new(NbdError.InputOutput, "The server failed; its log says how."),
    };

    /// <summary>True for failures that are defects of this program, to be logged whole.</summary>
    public static bool IsDefect(Exception cause) =>
        cause is not (BenjiException or OperationCanceledException or IOException);
}
