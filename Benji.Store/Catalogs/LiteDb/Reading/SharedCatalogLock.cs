using System.Buffers.Binary;
using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Posix;

namespace Benji.Store.Catalogs.LiteDb.Reading;

/// <summary>The catalog's lock for whoever only reads: shared kernel locks on files that are there, opened for reading.</summary>
/// <remarks>For its life it holds one on the database, by which a cleanup of this host knows that somebody reads without a
/// lease; for a transaction one on the lock of transactions, behind whoever waits in the queue. Where there is no such file,
/// nobody has written since it was tidied away: whoever writes makes it first, which changes the counter.</remarks>
internal sealed class SharedCatalogLock(CatalogPaths paths) : ICatalogLock
{
    private const int CounterSize = 8;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(2);

    private readonly Lock _currentLock = new();
    private FileLock? _database;
    private FileLock? _current;

    /// <inheritdoc/>
    public async Task AcquireAsync(CancellationToken cancellationToken)
    {
        await KeepDatabaseAsync(cancellationToken);
        using var queue = OpenQueue();
        await PollAsync(queue, cancellationToken);
        do
        {
            Reopen();
            await PollAsync(_current, cancellationToken);
        }
        while (_current is not null && !_current.IsCurrent());
    }

    /// <inheritdoc/>
    public void Release() => _current?.Release();

    /// <inheritdoc/>
    public long ReadCounter()
    {
        Span<byte> counter = stackalloc byte[CounterSize];
        lock (_currentLock)
        {
            using var found = _current is null ? FileLock.OpenForReading(paths.Lock) : null;
            var file = _current ?? found;
            return file is not null && PosixFile.Read(file.Handle, paths.Lock, 0, counter) == CounterSize
                ? BinaryPrimitives.ReadInt64LittleEndian(counter)
                : 0;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">Always.</exception>
    public void WriteCounter(long value) => throw new NotSupportedException("Who only reads commits nothing.");

    /// <inheritdoc/>
    public void Dispose()
    {
        _current?.Dispose();
        _database?.Dispose();
    }

    // A rebuild puts another file in its place.
    private async Task KeepDatabaseAsync(CancellationToken cancellationToken)
    {
        while (_database is null || !_database.IsCurrent())
        {
            _database?.Dispose();
            _database = FileLock.OpenForReading(paths.Data)
                ?? throw new PosixException("open", paths.Data, Errno.NotFound);
            await PollAsync(_database, cancellationToken);
        }
    }

    // It serves the order of those who wait only: who may not read it goes ahead.
    private FileLock? OpenQueue()
    {
        try
        {
            return FileLock.OpenForReading(paths.Queue);
        }
        catch (PosixException failure) when (failure.IsRefused)
        {
            return null;
        }
    }

    private void Reopen()
    {
        if (_current is not null && _current.IsCurrent())
        {
            return;
        }

        var opened = FileLock.OpenForReading(paths.Lock);
        lock (_currentLock)
        {
            _current?.Dispose();
            _current = opened;
        }
    }

    private static async Task PollAsync(FileLock? file, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        while (file is not null && !file.TryAcquireShared())
        {
            await Task.Delay(PollInterval, TimeProvider.System, cancellationToken);
        }
    }
}
