using Benji.Nbd.Protocol;
using Benji.Store.Model;

namespace Benji.Nbd.Client;

/// <summary>What an error that a server tells is called on this side; the one place that chooses.</summary>
internal static class ClientErrors
{
    /// <summary>Returns the exception for a request that failed.</summary>
    /// <param name="name">The export, for messages.</param>
    /// <param name="request">What was asked.</param>
    /// <param name="error">What the server said.</param>
    public static BenjiException Refused(string name, RequestHeader request, ErrorChunk error)
    {
        var text = error.Text.Length > 0 ? $": {Names.Show(error.Text)}" : ".";
        var message = $"{request.Command} of {request.Length} bytes at offset {error.Offset ?? request.Offset} of {name} "
            + $"failed, {error.Error}{text}";
        return error.Error switch
        {
            NbdError.NoSpace => new NoSpaceException(message),
            NbdError.Shutdown or NbdError.NoMemory => new StorageException(message, isTransient: true),
            _ => new StorageException(message, isTransient: false),
        };
    }
}
