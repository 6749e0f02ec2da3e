namespace Benji.Testing.Disks;

/// <summary>A disk of a few files that loses power at a chosen step and drops, reorders and tears what was not synced.</summary>
/// <remarks>After the loss every step fails until <see cref="Restart"/>; steps of a process that was open before fail for
/// ever. Not modelled: rot, a sync that lies, sectors that cannot be read.</remarks>
public sealed class SimulatedDisk
{
    private readonly Dictionary<string, SimulatedFile> _files = [];
    private bool _areNamesDurable;
    private bool _isDown;

    /// <summary>Counts the restarts: who opened a file in an earlier one is dead.</summary>
    public int Life { get; private set; }

    /// <summary>The steps since the last restart that change something; reads are not counted.</summary>
    public int Steps { get; private set; }

    /// <summary>Says at which step the power goes; null for never. Asked once for each step, before it is done.</summary>
    public Func<DiskStep, bool>? LosesPowerAt { get; set; }

    /// <summary>Says which syncs do nothing although they succeed; null for none. Makes a weakened program.</summary>
    public Func<DiskStep, bool>? SkipsSync { get; set; }

    /// <summary>Says which steps fail with an error; null for none.</summary>
    public Func<DiskStep, bool>? Fails { get; set; }

    /// <summary>True once the power is gone.</summary>
    public bool IsDown => _isDown;

    /// <summary>Returns a file, empty when it is new.</summary>
    public SimulatedFile this[string name] =>
        _files.TryGetValue(name, out var file) ? file : _files[name] = new SimulatedFile();

    /// <summary>Does one step on a file.</summary>
    /// <param name="step">Which.</param>
    /// <param name="life">The life in which the file was opened.</param>
    /// <param name="action">What it does to the file.</param>
    /// <exception cref="PowerLossException">The power is gone, or goes now, with the step under way.</exception>
    /// <exception cref="IOException">The step was chosen to fail.</exception>
    public void Do(DiskStep step, int life, Action<SimulatedFile> action)
    {
        if (_isDown || life != Life)
        {
            throw new PowerLossException();
        }

        Steps += step.Kind == DiskStepKind.Read ? 0 : 1;
        var goesDown = LosesPowerAt?.Invoke(step) == true;
        if (goesDown && step.Kind is DiskStepKind.Write or DiskStepKind.Truncate)
        {
            action(this[step.File]);
            this[step.File].MarkInFlight();
        }

        if (goesDown)
        {
            _isDown = true;
            throw new PowerLossException();
        }

        if (Fails?.Invoke(step) == true)
        {
            throw new IOException($"Simulated failure of {step}");
        }

        if (step.Kind != DiskStepKind.Sync || SkipsSync?.Invoke(step) != true)
        {
            action(this[step.File]);
        }
    }

    /// <summary>Makes the files' names durable.</summary>
    public void SyncNames() => _areNamesDurable = true;

    /// <summary>Comes back after a loss of power, with what it left.</summary>
    public void Restart(Random random, PowerLossModel model)
    {
        foreach (var file in _files.Values)
        {
            if (!_areNamesDurable && random.Next(2) == 0)
            {
                file.Vanish();
            }

            file.LosePower(random, model);
        }

        Resume();
    }

    /// <summary>Starts a new life in which all that was written is still in the cache, as after a killed process.</summary>
    public void Resume()
    {
        _isDown = false;
        Steps = 0;
        Life++;
    }
}

/// <summary>What a program did to a file.</summary>
public enum DiskStepKind
{
    /// <summary>Asked or read.</summary>
    Read,

    /// <summary>Wrote.</summary>
    Write,

    /// <summary>Cut.</summary>
    Truncate,

    /// <summary>Made durable.</summary>
    Sync,
}

/// <summary>One step of a program on a file.</summary>
/// <param name="File">The file's name.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Offset">Where it reads or writes, the length it cuts to, or the length that a sync finds.</param>
public readonly record struct DiskStep(string File, DiskStepKind Kind, long Offset);

/// <summary>Says that the simulated machine is off; deliberately no I/O error, which a program may handle.</summary>
public sealed class PowerLossException() : Exception("The simulated power is gone.");
