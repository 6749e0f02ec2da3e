using System.Security.Cryptography;
using Benji.Store.Posix;

namespace Benji.Store.Catalogs.LiteDb.Disk;

/// <summary>The database file as LiteDB sees it, where a flush makes all pages written since the last one durable or
/// none, with one sync.</summary>
/// <remarks>LiteDB's own log lives in memory; its checkpoint, run after each commit, writes the pages here and flushes.
/// Written pages wait in a batch; a flush appends them to the log as one hash-chained group and syncs it. Reads look in
/// the batch, the log, then the data file. Now and then the log is applied to the data file and emptied. After an
/// exception of a flush or an apply the object is spoilt: whoever owns it opens the files anew. Under the catalog's
/// lock, one thread at a time. Decision: docs/decisions/0002.</remarks>
internal sealed class TransactionalDataStream : Stream
{
    private const int PageSize = WalGroup.PageSize;

    private readonly ReservedFile _data;
    private readonly ReservedFile _log;
    private readonly IWalHash _hash;
    private readonly WalReader _reader;
    private readonly Dictionary<long, long> _logged = [];
    private readonly PageBatch _batch;
    private readonly byte[] _chain = new byte[WalGroup.HashSize];

    private uint _sequence;
    private long _end;
    private long _lastGroup;
    private long _length;

    /// <summary>Reads the log; the files, the hash and the pool stay the caller's.</summary>
    /// <exception cref="IOException">One of the files cannot be read.</exception>
    public TransactionalDataStream(ICatalogDisk disk, IWalHash hash, PagePool pool)
    {
        _batch = new PageBatch(pool);
        Reserve = new CatalogReserve(disk.Room);
        _data = new ReservedFile(disk.Data, Reserve);
        _log = new ReservedFile(disk.Log, Reserve);
        _hash = hash;
        _reader = new WalReader(_log, hash);
        Reload();
    }

    /// <summary>True while flushes are put off, so that the steps of making a database become one group.</summary>
    public bool HoldsFlushes { get; set; }

    /// <summary>The room that is kept for what a full disk has none for.</summary>
    public CatalogReserve Reserve { get; }

    /// <summary>Pages in the log, each counted once.</summary>
    public int LoggedPages => _logged.Count;

    /// <summary>Pages read and written through this stream so far.</summary>
    public long PagesMoved { get; private set; }

    /// <summary>True after a failed flush when it is not known whether its pages will be there next time.</summary>
    public bool IsOutcomeUnknown { get; private set; }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => true;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => _length;

    /// <inheritdoc/>
    public override long Position { get; set; }

    /// <summary>Takes in what other processes committed since this object last looked.</summary>
    /// <exception cref="IOException">One of the files cannot be read.</exception>
    public void Refresh()
    {
        _batch.Clear();
        Reserve.Forget();
        // New groups that continue our chain prove that what we know still stands; without one the log may have been
        // applied and grown again to the same length.
        if (ReadGroups() == 0)
        {
            Reload();
        }
        else
        {
            CutTail();
        }
    }

    /// <summary>Makes durable what a writer that died may have left in the page cache only.</summary>
    /// <remarks>A sync that failed in another process can have marked pages clean that never reached the disk, so the last
    /// group is written again before the sync. Groups before it were acknowledged or came through here.</remarks>
    /// <exception cref="IOException">The log cannot be read, written or synced.</exception>
    public void Repair() => WalPages.Repair(_log, _lastGroup, _end);

    /// <summary>Reads one whole page; past the end there is nothing.</summary>
    /// <exception cref="NotSupportedException">The read is of any other shape.</exception>
    public override int Read(byte[] buffer, int offset, int count)
    {
        CheckShape(count);
        if (Position >= _length)
        {
            return 0;
        }

        PagesMoved++;
        var destination = buffer.AsSpan(offset, count);
        if (!_batch.TryRead(Position, destination))
        {
            if (_logged.TryGetValue(Position, out var place))
            {
                WalReader.ReadExactly(_log, place, destination);
            }
            else
            {
                // Behind the data file's end but before a page that is in the log: never written, so zeros.
                destination[_data.Read(Position, destination)..].Clear();
            }
        }

        Position += count;
        return count;
    }

    /// <summary>Takes one whole page into the batch.</summary>
    /// <exception cref="NotSupportedException">The write is of any other shape.</exception>
    public override void Write(byte[] buffer, int offset, int count)
    {
        CheckShape(count);
        PagesMoved++;
        _batch.Put(Position, buffer.AsSpan(offset, count));
        Position += count;
        _length = Math.Max(_length, Position);
    }

    /// <summary>Makes the batch durable as one group, with one sync; an empty batch costs nothing.</summary>
    /// <exception cref="IOException">The batch is not durable, or <see cref="IsOutcomeUnknown"/>.</exception>
    public override void Flush()
    {
        if (HoldsFlushes || _batch.Count == 0)
        {
            return;
        }

        try
        {
            Append();
        }
        catch (PosixException failure) when (failure.LacksRoom && !IsOutcomeUnknown)
        {
            // The log's own room first: it borrows from the reserve as long as that is whole.
            TryApply();
            Reserve.IsOpen = Reserve.MayTake;
            Append();
            Reserve.IsOpen = false;
        }
    }

    /// <summary>Copies the logged pages to the data file and empties the log.</summary>
    /// <remarks>The data is durable before the log is cut, and the cut before anything new is written: both syncs and their
    /// order are what a crash in between needs.</remarks>
    /// <returns>False when the data file finds no room to grow; the log holds every page as before.</returns>
    /// <exception cref="IOException">The log or the data still holds every page; the next apply starts over.</exception>
    public bool TryApply()
    {
        if (_end == 0)
        {
            return true;
        }

        if (!WalPages.TryCopy(_log, _data, _logged, Reserve))
        {
            return false;
        }

        _log.Truncate(0);
        _log.Sync();
        ForgetLog();
        Reserve.Fill();
        return true;
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">The length would change.</exception>
    public override void SetLength(long value)
    {
        if (value != _length)
        {
            throw new NotSupportedException($"The database has {_length} bytes and is not set to {value}.");
        }
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => _length + offset,
    };

    private void Reload()
    {
        ForgetLog();
        _batch.Clear();
        _length = _data.Length / PageSize * PageSize;
        ReadGroups();
        CutTail();
    }

    private int ReadGroups()
    {
        var (count, found) = (0, new List<(long Position, long Offset)>());
        for (; _reader.TryRead(_end, _sequence, _chain, found); count++)
        {
            foreach (var (position, offset) in found)
            {
                _logged[position] = offset;
                _length = Math.Max(_length, position + PageSize);
            }

            (_lastGroup, _end) = (_end, _end + WalGroup.SizeOf(found.Count));
            _sequence++;
        }

        return count;
    }

    // What follows the last whole group was never acknowledged, and must not stand where the next group's bytes go.
    private void CutTail()
    {
        if (_log.Length > _end)
        {
            if (_reader.IsFollowed(_end, _sequence))
            {
                throw new InvalidDataException($"its log is damaged at {_end} of {_log.Length} bytes");
            }

            _log.Truncate(_end);
            _log.Sync();
        }
    }

    private void ForgetLog()
    {
        _logged.Clear();
        _chain.AsSpan().Clear();
        (_sequence, _end, _lastGroup) = (0, 0, 0);
    }

    private void Append()
    {
        var salt = _sequence == 0 ? (uint)RandomNumberGenerator.GetInt32(int.MaxValue) : 0;
        var before = _chain.ToArray();
        try
        {
            _batch.WriteTo(_log, _end, _hash, _sequence, salt, _chain);
            _log.Sync();
        }
        catch (IOException)
        {
            // The next group follows the last one that is there.
            before.CopyTo(_chain);
            CutUnacknowledged();
            throw;
        }

        foreach (var (position, slot) in _batch.Slots)
        {
            _logged[position] = _end + WalGroup.PageOffset(slot);
        }

        (_lastGroup, _end) = (_end, _end + WalGroup.SizeOf(_batch.Count));
        _sequence++;
        _batch.Clear();
    }

    private void CutUnacknowledged()
    {
        IsOutcomeUnknown = true;
        try
        {
            _log.Truncate(_end);
            _log.Sync();
            IsOutcomeUnknown = false;
        }
        catch (IOException)
        {
            // The failure that is reported is the first one; this one only leaves the outcome unknown, which is kept.
        }
    }

    private void CheckShape(int count)
    {
        if (count != PageSize || Position % PageSize != 0)
        {
            throw new NotSupportedException($"The database is read and written in pages, not {count} bytes at {Position}.");
        }
    }
}
