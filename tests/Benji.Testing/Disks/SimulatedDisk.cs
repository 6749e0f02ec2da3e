using Benji.Store.Posix;

namespace Benji.Testing.Disks;

/// <summary>A disk of a few files that loses power at a chosen step and drops, reorders and tears what was not synced.</summary>
/// <remarks>After the loss every step fails until <see cref="Restart"/>; steps of a process that was open before fail for
/// ever. Not modelled: rot, a sync that lies, sectors that cannot be read.</remarks>
public sealed class SimulatedDisk
{
    private readonly Dictionary<string, SimulatedFile> _names = [];
    private readonly Dictionary<string, SimulatedFile> _durableNames = [];
    private readonly List<(string Name, SimulatedFile? File)[]> _unsyncedNames = [];
    private bool _isDown;

    /// <summary>Counts the restarts: who opened a file in an earlier one is dead.</summary>
    public int Life { get; private set; }

    /// <summary>The steps since the last restart that change something; reads are not counted.</summary>
    public int Steps { get; private set; }

    /// <summary>Says at which step the power goes; null for never. Asked once for each step, before it is done.</summary>
    public Func<DiskStep, bool>? LosesPowerAt { get; set; }

    /// <summary>Says which syncs do nothing although they succeed; null for none. Makes a weakened program.</summary>
    public Func<DiskStep, bool>? SkipsSync { get; set; }

    /// <summary>Says which steps fail with an error; null for none. A sync that fails calls clean what it did not write.
    /// </summary>
    public Func<DiskStep, bool>? Fails { get; set; }

    /// <summary>Says with which error number a step fails; null for none. Like <see cref="Fails"/> otherwise.</summary>
    public Func<DiskStep, int?>? FailsWith { get; set; }

    /// <summary>Bytes that its files may have in all; null for no limit. What is beyond it is no space left.</summary>
    public long? Capacity { get; set; }

    /// <summary>Bytes of its files.</summary>
    public long Used => _names.Values.Sum(file => file.Length);

    /// <summary>True once the power is gone.</summary>
    public bool IsDown => _isDown;

    /// <summary>The names of the files as programs see them.</summary>
    public IReadOnlyCollection<string> Names => _names.Keys;

    /// <summary>Returns a file, empty when it is new.</summary>
    public SimulatedFile this[string name]
    {
        get
        {
            if (!_names.TryGetValue(name, out var file))
            {
                file = new SimulatedFile();
                ChangeNames((name, file));
            }

            return file;
        }
    }

    /// <summary>True when a file can have a length on a disk of this capacity.</summary>
    public bool Fits(string name, long length) =>
        Capacity is not { } capacity || length <= this[name].Length || Used - this[name].Length + length <= capacity;

    /// <summary>Does one step on a file.</summary>
    /// <param name="step">Which.</param>
    /// <param name="life">The life in which the file was opened.</param>
    /// <param name="action">What it does to the file.</param>
    /// <exception cref="PowerLossException">The power is gone, or goes now, with the step under way.</exception>
    /// <exception cref="IOException">The step was chosen to fail.</exception>
    public void Do(DiskStep step, int life, Action<SimulatedFile> action) =>
        DoAny(step, life, () => action(this[step.File]));

    /// <summary>Gives a file another name, as one step: a loss of power leaves all of it or nothing.</summary>
    /// <exception cref="PowerLossException">The power is gone, or goes now, with the step under way.</exception>
    /// <exception cref="IOException">The step was chosen to fail.</exception>
    public void Rename(string source, string target, int life) => DoAny(
        new DiskStep(target, DiskStepKind.Name, 0), life, () => ChangeNames((target, _names[source]), (source, null)));

    /// <summary>Takes a file's name away.</summary>
    /// <exception cref="PowerLossException">The power is gone, or goes now, with the step under way.</exception>
    /// <exception cref="IOException">The step was chosen to fail.</exception>
    public void Delete(string name, int life) =>
        DoAny(new DiskStep(name, DiskStepKind.Name, 0), life, () => ChangeNames((name, null)));

    /// <summary>Makes the files' names durable, as a step of a program.</summary>
    /// <param name="directory">The directory that it syncs, for the step.</param>
    /// <param name="life">The life in which it was opened.</param>
    /// <exception cref="PowerLossException">The power is gone, or goes now, before the step.</exception>
    /// <exception cref="IOException">The step was chosen to fail.</exception>
    public void SyncNames(string directory, int life) =>
        DoAny(new DiskStep(directory, DiskStepKind.SyncNames, 0), life, SyncNames);

    /// <summary>Makes the files' names durable.</summary>
    public void SyncNames()
    {
        _unsyncedNames.ForEach(change => Put(_durableNames, change));
        _unsyncedNames.Clear();
    }

    /// <summary>Comes back after a loss of power, with what it left.</summary>
    public void Restart(Random random, PowerLossModel model)
    {
        KeepNames(() => random.Next(2) == 0);
        foreach (var file in _names.Values)
        {
            file.LosePower(random, model);
        }

        Resume();
    }

    /// <summary>Comes back after a loss of power that left nothing but what was synced.</summary>
    public void RestartWithSyncedOnly()
    {
        KeepNames(() => false);
        foreach (var file in _names.Values)
        {
            file.LoseUnsynced();
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

    private void DoAny(DiskStep step, int life, Action action)
    {
        if (_isDown || life != Life)
        {
            throw new PowerLossException();
        }

        Steps += step.Kind == DiskStepKind.Read ? 0 : 1;
        var goesDown = LosesPowerAt?.Invoke(step) == true;
        if (goesDown)
        {
            GoDown(step, action);
            throw new PowerLossException();
        }

        var errno = FailsWith?.Invoke(step);
        if (errno is not null || Fails?.Invoke(step) == true)
        {
            if (step.Kind == DiskStepKind.Sync)
            {
                this[step.File].ForgetUnsynced();
            }

            throw errno is { } number
                ? new PosixException($"do {step.Kind} of", step.File, number)
                : new IOException($"Simulated failure of {step}");
        }

        if (step.Kind is not (DiskStepKind.Sync or DiskStepKind.SyncNames) || SkipsSync?.Invoke(step) != true)
        {
            action();
        }
    }

    // A change that is under way is one of the unsynced ones.
    private void GoDown(DiskStep step, Action action)
    {
        if (step.Kind is DiskStepKind.Write or DiskStepKind.Truncate or DiskStepKind.Name)
        {
            action();
        }

        if (step.Kind is DiskStepKind.Write or DiskStepKind.Truncate)
        {
            this[step.File].MarkInFlight();
        }

        _isDown = true;
    }

    private void ChangeNames(params (string Name, SimulatedFile? File)[] change)
    {
        Put(_names, change);
        _unsyncedNames.Add(change);
    }

    // A name whose change is not durable may lead where it led before, and one whose file never was synced to nothing.
    private void KeepNames(Func<bool> survives)
    {
        foreach (var change in _unsyncedNames.Where(_ => survives()))
        {
            Put(_durableNames, change);
        }

        _unsyncedNames.Clear();
        _names.Clear();
        foreach (var (name, file) in _durableNames.ToArray())
        {
            if (file.WasSynced || survives())
            {
                _names.Add(name, file);
            }
            else
            {
                _durableNames.Remove(name);
            }
        }
    }

    private static void Put(Dictionary<string, SimulatedFile> names, (string Name, SimulatedFile? File)[] change)
    {
        foreach (var (name, file) in change)
        {
            if (file is null)
            {
                names.Remove(name);
            }
            else
            {
                names[name] = file;
            }
        }
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

    /// <summary>Gave or took a name.</summary>
    Name,

    /// <summary>Made names durable.</summary>
    SyncNames,
}

/// <summary>One step of a program on a file.</summary>
/// <param name="File">The file's name.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Offset">Where it reads or writes, the length it cuts to, or the length that a sync finds.</param>
public readonly record struct DiskStep(string File, DiskStepKind Kind, long Offset);

/// <summary>Says that the simulated machine is off; deliberately no I/O error, which a program may handle.</summary>
public sealed class PowerLossException() : Exception("The simulated power is gone.");
