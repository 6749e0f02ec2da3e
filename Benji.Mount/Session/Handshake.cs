using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Mount.Session.Requests;

namespace Benji.Mount.Session;

/// <summary>The first request of a connection, in which kernel and server agree on what both can do.</summary>
internal sealed class Handshake(Replies replies)
{
    private readonly TaskCompletionSource<Negotiation> _agreed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when both have agreed.</summary>
    public Task<Negotiation> WhenAgreed => _agreed.Task;

    /// <summary>Answers the kernel's offer.</summary>
    public void Answer(in RequestHeader header, RequestBody body)
    {
        var offer = body.TakeGrown<InitRequest>(Negotiation.InitSizeMin);
        if (offer.Major > Negotiation.Major)
        {
            // The kernel asks again in a version that this server knows.
            replies.Send(header, new InitReply { Major = Negotiation.Major, Minor = Negotiation.MinorMax });
        }
        else if (Negotiation.Choose(offer) is { } negotiation)
        {
            replies.Send(header, negotiation.ToReply(offer.ReadAheadMax));
            _agreed.TrySetResult(negotiation);
        }
        else
        {
            replies.SendError(header, Errno.NotSupported);
            _agreed.TrySetException(new FuseProtocolException(
                $"The kernel speaks version {offer.Major}.{offer.Minor} of the protocol, too old for this server."));
        }
    }

    /// <summary>Says that a former server has agreed already.</summary>
    public void Resume(Negotiation negotiation) => _agreed.TrySetResult(negotiation);

    /// <summary>Says that the connection ended before.</summary>
    public void Fail(Exception exception) => _agreed.TrySetException(exception);
}
