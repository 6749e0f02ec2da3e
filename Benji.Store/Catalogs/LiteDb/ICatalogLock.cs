namespace Benji.Store.Catalogs.LiteDb;

/// <summary>Lets one transaction of all processes at a time at the catalog's files, and counts the commits.</summary>
internal interface ICatalogLock : IDisposable
{
    /// <summary>Waits for the lock. One call at a time.</summary>
    /// <exception cref="IOException">The lock cannot be taken.</exception>
    Task AcquireAsync(CancellationToken cancellationToken);

    /// <summary>Lets the lock go.</summary>
    void Release();

    /// <summary>Reads the counter without the lock; safe for concurrent calls.</summary>
    /// <remarks>Odd while a commit is under way or was left so by a process that died in it. It need not survive a crash
    /// of the machine, but never comes back to a value that a living process has seen.</remarks>
    /// <exception cref="IOException">The counter cannot be read.</exception>
    long ReadCounter();

    /// <summary>Sets the counter, under the lock.</summary>
    /// <exception cref="IOException">The counter is as before.</exception>
    void WriteCounter(long value);
}
