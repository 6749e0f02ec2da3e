using Benji.Store.Images.Overlays;
using Benji.Store.Images.Overlays.Files;
using Benji.Testing;
using Benji.Testing.Disks;
using Benji.Testing.Serving;

namespace Benji.Tests.Images.Overlays;

/// <summary>What a weakened overlay leaves out.</summary>
public enum OverlayWeakness
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Marks are written before their data is durable.</summary>
    NoDataSync,

    /// <summary>A flush ends before the marks are durable.</summary>
    NoMarkSync,

    /// <summary>Space is given back before the mark that shows the base is durable.</summary>
    FreesBeforeTheFlush,
}

/// <summary>One script of steps on an overlay on a simulated disk, cut at each of its steps in turn; a second script follows
/// on what the crash left, so that the disk holds the remains of an earlier life.</summary>
internal sealed class OverlayCrashRun(int seed, int sectorSize, bool knowsHoles, OverlayWeakness weakness)
{
    private const int Unit = OverlayLayout.UnitSize;
    private const int Size = (10 * Unit) + 700;
    private const int Steps = 30;
    private const int Lives = 3;

    /// <summary>Runs all.</summary>
    /// <returns>The steps of the disk at which the first life ended.</returns>
    /// <exception cref="InvalidDataException">A byte was neither what was flushed nor what was written later.</exception>
    public async Task<int> RunAtEveryStepAsync()
    {
        for (var crashAt = 1; ; crashAt++)
        {
            var random = new Random(HashCode.Combine(seed, crashAt));
            var disk = new SimulatedDisk();
            var bench = Create(disk, new Random(seed), out var content);
            var model = new OverlayModel(content);
            if (!await LiveAsync(bench, disk, model, new Random(seed), crashAt, random))
            {
                return crashAt;
            }

            for (var life = 1; life < Lives; life++)
            {
                _ = await LiveAsync(bench, disk, model, random, random.Next(1, 60), random);
            }
        }
    }

    private OverlayBench Create(SimulatedDisk disk, Random random, out byte[] content)
    {
        content = new byte[Size];
        random.NextBytes(content);
        var bench = new OverlayBench(content, () => new SimulatedOverlayDisk(disk, knowsHoles));
        SimulatedOverlayDisk.Create(disk, bench.Header);
        return bench;
    }

    // False when the script ended before the step. The model is then, as after a crash, what the disk holds.
    private async Task<bool> LiveAsync(
        OverlayBench bench, SimulatedDisk disk, OverlayModel model, Random script, int crashAt, Random random)
    {
        disk.Resume();
        var (core, file) = await bench.OpenPartsAsync(new HeldClock());
        var image = new OverlayImage(bench.Entry, core, core.DisposeAsync);
        Arm(disk, bench.Header.Layout, () => disk.Steps == crashAt);
        var versions = new UnitVersions(model);
        var crashed = false;
        try
        {
            for (var i = 0; i < Steps; i++)
            {
                var step = OverlayStep.Next(script, Size, unitsMax: 3);
                model.TryRun(step, _ => false);
                versions.Add(model);
                await step.RunAsync(image);
                if (step.Action == OverlayAction.Flush)
                {
                    versions = new UnitVersions(model);
                }
                else if (step.Action == OverlayAction.Revert && weakness == OverlayWeakness.FreesBeforeTheFlush)
                {
                    file.Free(UnitRange.Touched(step.Offset, step.Length));
                }
            }

            await image.DisposeAsync();
        }
        catch (PowerLossException)
        {
            crashed = true;
            disk.Restart(random, new PowerLossModel(sectorSize, MayLoseCutsAlone: true));
        }

        Arm(disk, bench.Header.Layout, () => false);
        await CheckAsync(bench, model, versions, crashed);
        return crashed;
    }

    // Which sync is which is told by what was written before it.
    private void Arm(SimulatedDisk disk, OverlayLayout layout, Func<bool> losesPower)
    {
        var wroteMarks = false;
        disk.LosesPowerAt = step =>
        {
            if (step.Kind == DiskStepKind.Write && step.Offset >= Unit && step.Offset < layout.DataStart)
            {
                wroteMarks = true;
            }

            return step.Kind != DiskStepKind.Read && losesPower();
        };
        disk.SkipsSync = _ =>
        {
            var skips = weakness == (wroteMarks ? OverlayWeakness.NoMarkSync : OverlayWeakness.NoDataSync);
            wroteMarks = false;
            return skips;
        };
    }

    // A new process finds each unit as it was at the flush or later, and the model becomes what it finds.
    private static async Task CheckAsync(OverlayBench bench, OverlayModel model, UnitVersions versions, bool crashed)
    {
        var (core, file) = await bench.OpenPartsAsync(new HeldClock());
        await using var image = new OverlayImage(bench.Entry, core, core.DisposeAsync);
        var content = await image.ReadAllAsync();
        if (crashed)
        {
            versions.Check(content);
        }
        else if (!content.AsSpan().SequenceEqual(model.Content))
        {
            throw new InvalidDataException("A process that ended well lost something.");
        }

        content.CopyTo(model.Content, 0);
        for (var unit = 0; unit < model.States.Length; unit++)
        {
            model.States[unit] = file.StateOf(unit);
        }
    }

    // What each unit has been since the last flush that ended.
    private sealed class UnitVersions
    {
        private const int Sector = 512;

        private readonly List<byte[]> _contents = [];
        private readonly UnitState[] _flushed;

        public UnitVersions(OverlayModel model)
        {
            _flushed = [.. model.States];
            Add(model);
        }

        public void Add(OverlayModel model) => _contents.Add([.. model.Content]);

        public void Check(byte[] content)
        {
            for (var unit = 0; unit < _flushed.Length; unit++)
            {
                // Data that is written over is torn as on every disk; what was not yet data comes whole or not at all.
                var step = _flushed[unit] == UnitState.Data ? Sector : Unit;
                var end = Math.Min(Size, (unit + 1) * Unit);
                for (var at = unit * Unit; at < end; at += step)
                {
                    var range = at..Math.Min(end, at + step);
                    if (!_contents.Exists(version => version.AsSpan(range).SequenceEqual(content.AsSpan(range))))
                    {
                        throw new InvalidDataException(
                            $"Unit {unit}, {_flushed[unit]} at the flush, is none of {_contents.Count} versions at {at}.");
                    }
                }
            }
        }
    }
}
