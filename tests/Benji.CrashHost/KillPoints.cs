using System.Runtime.InteropServices;

namespace Benji.CrashHost;

/// <summary>Counts the points that a run passes and kills the process, as a loss of power would, at one of them.</summary>
internal sealed partial class KillPoints(int killAt)
{
    private const int SigKill = 9;

    private int _passed;

    /// <summary>Points passed so far.</summary>
    public int Passed => Volatile.Read(ref _passed);

    /// <summary>Passes a point; does not return from the chosen one.</summary>
    public void Pass()
    {
        if (Interlocked.Increment(ref _passed) == killAt)
        {
            _ = Kill(Environment.ProcessId, SigKill);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
