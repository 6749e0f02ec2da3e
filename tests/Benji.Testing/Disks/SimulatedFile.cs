namespace Benji.Testing.Disks;

/// <summary>One file of a simulated disk: what programs see, what a loss of power surely leaves, and the writes and cuts
/// in between, of which any part may survive.</summary>
public sealed class SimulatedFile
{
    private readonly List<Change> _pending = [];
    private byte[] _cached = [];
    private byte[] _durable = [];
    private bool _hasLastChangeInFlight;

    /// <summary>Bytes in the file as programs see it.</summary>
    public long Length => _cached.Length;

    /// <summary>When it was last written, by a clock that stands still, or what was set since; lost power does not change it.
    /// </summary>
    public DateTimeOffset Modified { get; set; } = Now;

    /// <summary>The time of all writes.</summary>
    public static DateTimeOffset Now { get; } = new(2199, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>True when the file itself is on the disk, whatever its name is.</summary>
    public bool WasSynced { get; private set; }

    /// <summary>Reads what programs see.</summary>
    public int Read(long offset, Span<byte> destination)
    {
        var count = (int)Math.Clamp(_cached.Length - offset, 0, destination.Length);
        if (count > 0)
        {
            _cached.AsSpan((int)offset, count).CopyTo(destination);
        }

        return count;
    }

    /// <summary>Writes, unsynced.</summary>
    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        Modified = Now;
        _pending.Add(new Change(offset, source.ToArray()));
        WritePart(ref _cached, offset, source);
    }

    /// <summary>Cuts or grows, unsynced.</summary>
    public void Truncate(long length)
    {
        _pending.Add(new Change(length, null));
        Array.Resize(ref _cached, (int)length);
    }

    /// <summary>Makes everything so far durable, except what a failed sync called clean.</summary>
    public void Sync()
    {
        foreach (var (offset, bytes) in _pending)
        {
            if (bytes is null)
            {
                Array.Resize(ref _durable, (int)offset);
            }
            else
            {
                WritePart(ref _durable, offset, bytes);
            }
        }

        _pending.Clear();
        WasSynced = true;
    }

    /// <summary>Calls everything clean without making it durable, as a failed sync does: programs still see it.</summary>
    public void ForgetUnsynced() => _pending.Clear();

    /// <summary>Says that the newest change was under way when the power went, which <see cref="LosePower"/> favours.</summary>
    public void MarkInFlight() => _hasLastChangeInFlight = true;

    /// <summary>Leaves only what was synced.</summary>
    public void LoseUnsynced()
    {
        _hasLastChangeInFlight = false;
        _pending.Clear();
        _cached = [.. _durable];
    }

    /// <summary>Leaves what a loss of power could leave.</summary>
    /// <param name="random">Chooses.</param>
    /// <param name="model">What the file system may do.</param>
    public void LosePower(Random random, PowerLossModel model)
    {
        var image = (byte[])_durable.Clone();
        for (var i = 0; i < _pending.Count; i++)
        {
            var change = _pending[i];
            if (change.Bytes is not null)
            {
                var isInFlight = _hasLastChangeInFlight && i == _pending.Count - 1;
                WriteSome(ref image, change.Offset, change.Bytes, random, model.SectorSize, isInFlight);
            }
            else if (random.Next(2) == 0)
            {
                Array.Resize(ref image, (int)change.Offset);
            }
            else if (!model.MayLoseCutsAlone)
            {
                // A journal replays in order: nothing after a lost cut is there.
                break;
            }
        }

        _hasLastChangeInFlight = false;
        _pending.Clear();
        _cached = image;
        _durable = [.. image];
        WasSynced = true;
    }

    private static void WriteSome(
        ref byte[] image, long offset, byte[] bytes, Random random, int sectorSize, bool isInFlight)
    {
        var first = offset / sectorSize;
        var count = (int)(((offset + bytes.Length - 1) / sectorSize) - first) + 1;
        var pivot = random.Next(count + 1);
        Func<int, bool> survives = random.Next(isInFlight ? 3 : 5) switch
        {
            0 => _ => random.Next(2) == 0,
            1 => sector => sector < pivot,
            2 => sector => sector >= pivot,
            3 => _ => true,
            _ => _ => false,
        };
        for (var sector = 0; sector < count; sector++)
        {
            if (survives(sector))
            {
                var start = (int)Math.Max(0, ((first + sector) * sectorSize) - offset);
                var end = (int)Math.Min(bytes.Length, ((first + sector + 1) * sectorSize) - offset);
                WritePart(ref image, offset + start, bytes.AsSpan(start, end - start));
            }
        }

        // The length is metadata: it can reach the disk without the bytes.
        if (random.Next(2) == 0 && image.Length < offset + bytes.Length)
        {
            Array.Resize(ref image, (int)(offset + bytes.Length));
        }
    }

    private static void WritePart(ref byte[] content, long offset, ReadOnlySpan<byte> part)
    {
        if (content.Length < offset + part.Length)
        {
            Array.Resize(ref content, (int)(offset + part.Length));
        }

        part.CopyTo(content.AsSpan((int)offset));
    }

    // A write, or without bytes a cut to the offset.
    private sealed record Change(long Offset, byte[]? Bytes);
}

/// <summary>What a file system and its disk may do to unsynced changes when the power goes.</summary>
/// <param name="SectorSize">Bytes that are written as a whole or not at all: 512 or 4096.</param>
/// <param name="MayLoseCutsAlone">True when a cut can be lost while later writes survive; false for a journal.</param>
public sealed record PowerLossModel(int SectorSize, bool MayLoseCutsAlone);
