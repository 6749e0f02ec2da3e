using Benji.Mount.Kernel.Wire;
using Benji.Mount.Session.Requests;

namespace Benji.Mount.Session.Handlers;

/// <summary>A request as a handler gets it: its head, apart from its body, and whose thread it is on.</summary>
internal ref struct Request(RequestHeader header, RequestBody body, RequestWorker worker)
{
    /// <summary>The rest of the request, taken from front to back.</summary>
    public RequestBody Body = body;

    /// <summary>The head.</summary>
    public readonly RequestHeader Header => header;

    /// <summary>The thread's own buffer and pieces.</summary>
    public readonly RequestWorker Worker => worker;
}
