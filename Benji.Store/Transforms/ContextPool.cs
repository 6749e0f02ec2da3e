namespace Benji.Store.Transforms;

/// <summary>Lends reusable contexts that serve one thread at a time, and keeps a bounded number.</summary>
/// <remarks>
/// One for each processor, at least four. Safe for concurrent calls; lending and taking back allocate nothing once the
/// contexts exist.
/// </remarks>
internal sealed class ContextPool<T>(Func<T> create) : IDisposable
    where T : class, IDisposable
{
    private readonly T?[] _kept = new T?[Math.Max(4, Environment.ProcessorCount)];
    private volatile bool _isDisposed;

    /// <summary>Lends a context; the caller gives it back with <see cref="Return"/>.</summary>
    public T Rent()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        for (var slot = 0; slot < _kept.Length; slot++)
        {
            if (_kept[slot] is not null && Interlocked.Exchange(ref _kept[slot], null) is { } context)
            {
                return context;
            }
        }

        return create();
    }

    /// <summary>Takes a context back, to lend it again or, when enough are kept, to dispose it.</summary>
    public void Return(T context)
    {
        for (var slot = 0; slot < _kept.Length && !_isDisposed; slot++)
        {
            if (Interlocked.CompareExchange(ref _kept[slot], context, null) is null)
            {
                if (_isDisposed)
                {
                    // Dispose may have passed this slot already.
                    Interlocked.Exchange(ref _kept[slot], null)?.Dispose();
                }

                return;
            }
        }

        context.Dispose();
    }

    /// <summary>Disposes the kept contexts; lent ones are disposed when they come back.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        for (var slot = 0; slot < _kept.Length; slot++)
        {
            Interlocked.Exchange(ref _kept[slot], null)?.Dispose();
        }
    }
}
