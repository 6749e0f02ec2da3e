using System.Runtime.ExceptionServices;

namespace Benji.Nbd.Client;

/// <summary>The requests under way on one connection, by their cookies; refuses new ones once the connection has ended.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
internal sealed class PendingRequests
{
    private readonly Lock _requestsLock = new();
    private readonly Dictionary<ulong, PendingRequest> _requests = [];
    private Exception? _cause;
    private ulong _cookie;

    /// <summary>Adds the request that is made for a new cookie.</summary>
    /// <exception cref="Exception">The connection has ended: why.</exception>
    public PendingRequest Add(Func<ulong, PendingRequest> make)
    {
        lock (_requestsLock)
        {
            if (_cause is not null)
            {
                ExceptionDispatchInfo.Throw(_cause);
            }

            var request = make(++_cookie);
            _requests.Add(_cookie, request);
            return request;
        }
    }

    /// <summary>Finds a request, or null.</summary>
    public PendingRequest? Find(ulong cookie)
    {
        lock (_requestsLock)
        {
            return _requests.GetValueOrDefault(cookie);
        }
    }

    /// <summary>Forgets a request that was answered.</summary>
    public void Remove(PendingRequest request)
    {
        lock (_requestsLock)
        {
            _requests.Remove(request.Header.Cookie);
        }
    }

    /// <summary>Ends all requests for a cause; the first one counts.</summary>
    public void Close(Exception cause)
    {
        List<PendingRequest> abandoned;
        lock (_requestsLock)
        {
            _cause ??= cause;
            abandoned = [.. _requests.Values];
            _requests.Clear();
        }

        foreach (var request in abandoned)
        {
            request.Abandon(_cause);
        }
    }
}
