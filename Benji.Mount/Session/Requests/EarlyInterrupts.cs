namespace Benji.Mount.Session.Requests;

/// <summary>Remembers the last interrupts: one may be read before the request that it is for, by another thread.</summary>
/// <remarks>Safe for concurrent calls. Numbers of requests are never used again, so that what is left over does no harm.</remarks>
internal sealed class EarlyInterrupts
{
    private const int Capacity = 256;

    private readonly Lock _numbersLock = new();
    private readonly ulong[] _numbers = new ulong[Capacity];
    private int _next;
    private volatile bool _hasAny;

    /// <summary>Remembers an interrupt, in place of the oldest.</summary>
    public void Add(ulong unique)
    {
        lock (_numbersLock)
        {
            _numbers[_next] = unique;
            _next = (_next + 1) % Capacity;
            _hasAny = true;
        }
    }

    /// <summary>True when a request was interrupted before; forgets it.</summary>
    public bool Take(ulong unique)
    {
        if (!_hasAny)
        {
            return false;
        }

        lock (_numbersLock)
        {
            var place = Array.IndexOf(_numbers, unique);
            if (place < 0)
            {
                return false;
            }

            _numbers[place] = 0;
            return true;
        }
    }
}
