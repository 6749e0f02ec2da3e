using System.Buffers.Binary;
using System.Security.Cryptography;
using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Posix;

namespace Benji.Store.Catalogs.LiteDb;

/// <summary>The catalog's lock between processes: two kernel file locks, taken in turn, one of them with the counter.</summary>
/// <remarks>Whoever waits holds the queue's lock, so a process that comes again at once stands behind it: nobody starves.
/// Waiting is polling, as a blocked flock cannot be cancelled. The polls use the machine's real clock: they wait for
/// another process, which no test's clock can move on.</remarks>
internal sealed class FileCatalogLock(CatalogPaths paths) : ICatalogLock
{
    private const int CounterSize = 8;
    private static readonly TimeSpan PollMin = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan PollMax = TimeSpan.FromMilliseconds(8);

    private static readonly TimeSpan SaidAfter = TimeSpan.FromSeconds(2);

    private readonly FileLock _queue = FileLock.Open(paths.Queue);
    private readonly Lock _currentLock = new();
    private FileLock _current = FileLock.Open(paths.Lock);

    /// <summary>Told once in each wait that lasts longer than 2 s, of who holds the lock.</summary>
    public Action<string> Waiting { get; init; } = _ => { };

    /// <inheritdoc/>
    public async Task AcquireAsync(CancellationToken cancellationToken)
    {
        await PollAsync(_queue, cancellationToken);
        try
        {
            await PollAsync(_current, cancellationToken);
            try
            {
                // Somebody may have tidied the file away: then others lock a new one of that name, and so do we.
                while (!_current.IsCurrent())
                {
                    Reopen();
                    await PollAsync(_current, cancellationToken);
                }

                StartCounter();
            }
            catch
            {
                _current.Release();
                throw;
            }
        }
        finally
        {
            _queue.Release();
        }
    }

    /// <inheritdoc/>
    public void Release() => _current.Release();

    /// <inheritdoc/>
    public long ReadCounter()
    {
        Span<byte> counter = stackalloc byte[CounterSize];
        lock (_currentLock)
        {
            var count = RandomAccess.Read(_current.Handle, counter, 0);
            return count < CounterSize ? 0 : BinaryPrimitives.ReadInt64LittleEndian(counter);
        }
    }

    /// <inheritdoc/>
    public void WriteCounter(long value)
    {
        Span<byte> counter = stackalloc byte[CounterSize];
        BinaryPrimitives.WriteInt64LittleEndian(counter, value);
        PosixFile.Write(_current.Handle, paths.Lock, 0, counter);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _queue.Dispose();
        _current.Dispose();
    }

    private void StartCounter()
    {
        Span<byte> counter = stackalloc byte[CounterSize];
        if (RandomAccess.Read(_current.Handle, counter, 0) < CounterSize)
        {
            // A random start, so that a new file never repeats what a process has seen in one that was tidied away.
            WriteCounter((long)RandomNumberGenerator.GetInt32(1, int.MaxValue) << 24);
        }
    }

    private void Reopen()
    {
        var opened = FileLock.Open(paths.Lock);
        lock (_currentLock)
        {
            _current.Dispose();
            _current = opened;
        }
    }

    private async Task PollAsync(FileLock file, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var began = TimeProvider.System.GetTimestamp();
        var isSaid = false;
        for (var delay = PollMin; !file.TryAcquire(); delay = delay < PollMax ? delay + PollMin : PollMax)
        {
            if (!isSaid && TimeProvider.System.GetElapsedTime(began) >= SaidAfter)
            {
                isSaid = true;
                Waiting(LockHolder.Find(FileStatus.Of(_current.Handle, paths.Lock)) ?? "another process");
            }

            await Task.Delay(delay, TimeProvider.System, cancellationToken);
        }
    }
}
