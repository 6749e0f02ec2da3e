using Benji.Store.Images.Overlays.Files;
using Benji.Store.Posix;

namespace Benji.Testing.Disks;

/// <summary>The file of an overlay on a simulated disk.</summary>
/// <remarks>One life of one process: after a restart it fails for ever.</remarks>
internal sealed class SimulatedOverlayDisk(
    SimulatedDisk disk, bool knowsHoles = true, string name = SimulatedOverlayDisk.FileName) : IOverlayDisk
{
    /// <summary>The file's name on the simulated disk, where it is the only one.</summary>
    public const string FileName = "overlay";

    private const int Unit = OverlayLayout.UnitSize;

    private readonly int _life = disk.Life;
    private readonly HashSet<long> _taken = FindTaken(disk, name);

    /// <summary>Units of 4 KiB that may still be taken on the disk; null for no limit.</summary>
    public long? SpaceLeft { get; set; }

    /// <inheritdoc/>
    public string Path => name;

    /// <inheritdoc/>
    public long Length => disk[name].Length;

    /// <inheritdoc/>
    public DateTimeOffset Modified => disk[name].Modified;

    /// <summary>Makes a file with a header on a disk, durable.</summary>
    public static void Create(SimulatedDisk disk, OverlayHeader header)
    {
        disk[FileName].Truncate(header.Layout.FileLength);
        disk[FileName].Write(0, header.Format());
        disk[FileName].Sync();
        disk.SyncNames();
    }

    /// <inheritdoc/>
    public void SetModified(DateTimeOffset time) => disk[name].Modified = time;

    /// <inheritdoc/>
    public int Read(long offset, Span<byte> destination)
    {
        var bytes = new byte[destination.Length];
        var count = 0;
        Do(DiskStepKind.Read, offset, file => count = file.Read(offset, bytes));
        bytes.AsSpan(0, count).CopyTo(destination);
        return count;
    }

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        TakeSpace(offset, source.Length);

        // Whole pages, as the kernel's cache writes them: no sector misses an earlier write of its other bytes.
        var start = offset / Unit * Unit;
        var end = Math.Min(Length, (offset + source.Length + Unit - 1) / Unit * Unit);
        var bytes = new byte[end - start];
        disk[name].Read(start, bytes);
        source.CopyTo(bytes.AsSpan((int)(offset - start)));
        Do(DiskStepKind.Write, offset, file => file.Write(start, bytes));
    }

    /// <inheritdoc/>
    public bool Reserve(long offset, long length)
    {
        if (knowsHoles)
        {
            TakeSpace(offset, length);
        }

        return knowsHoles;
    }

    /// <inheritdoc/>
    public void Punch(long offset, long length)
    {
        if (knowsHoles)
        {
            Do(DiskStepKind.Write, offset, file => file.Write(offset, new byte[length]));
            var freed = Units(offset, length).Count(_taken.Remove);
            SpaceLeft += freed;
        }
    }

    /// <inheritdoc/>
    public (long Start, long End)? FindData(long offset)
    {
        if (!knowsHoles)
        {
            return offset < Length ? (offset, Length) : null;
        }

        var unit = new byte[Unit];
        for (var at = offset / Unit * Unit; at < Length; at += Unit)
        {
            var count = Read(at, unit);
            if (unit.AsSpan(0, count).ContainsAnyExcept((byte)0))
            {
                return (Math.Max(offset, at), at + count);
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public void Sync() => Do(DiskStepKind.Sync, Length, file => file.Sync());

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static HashSet<long> FindTaken(SimulatedDisk disk, string name)
    {
        var taken = new HashSet<long>();
        var unit = new byte[Unit];
        for (long at = 0; at < disk[name].Length; at += Unit)
        {
            if (unit.AsSpan(0, disk[name].Read(at, unit)).ContainsAnyExcept((byte)0))
            {
                taken.Add(at / Unit);
            }
        }

        return taken;
    }

    private static IEnumerable<long> Units(long offset, long length)
    {
        for (var unit = offset / Unit; unit * Unit < offset + length; unit++)
        {
            yield return unit;
        }
    }

    private void TakeSpace(long offset, long length)
    {
        foreach (var unit in Units(offset, length).Where(unit => !_taken.Contains(unit)))
        {
            if (SpaceLeft == 0)
            {
                throw new PosixException("write", Path, Errno.NoSpace);
            }

            SpaceLeft--;
            _taken.Add(unit);
        }
    }

    private void Do(DiskStepKind kind, long offset, Action<SimulatedFile> action) =>
        disk.Do(new DiskStep(name, kind, offset), _life, action);
}
