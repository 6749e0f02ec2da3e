using System.Globalization;

namespace Benji.Mount.Kernel;

/// <summary>Says whether a thread that waits for a reply was killed, or has only been sent a signal that it will handle.</summary>
/// <remarks>The kernel interrupts a request for any signal, but a read of a file that ends with EINTR because of a timer
/// is an error to most programs: only a thread that is to die is let go. Source: proc_pid_status(5); a fatal signal
/// becomes SIGKILL for each thread of the process, kernel/signal.c, complete_signal. Safe for concurrent calls.</remarks>
internal static class KilledThreads
{
    private const string StateField = "State:";
    private const string PendingField = "SigPnd:";
    private const ulong KillBit = 1UL << (9 - 1); // SIGKILL

    /// <summary>True when the thread is to die or has died, and when nothing can be learnt of it: then it may.</summary>
    /// <param name="thread">The thread's number in the daemon's namespace; 0 for one of another namespace.</param>
    public static bool Contains(uint thread)
    {
        if (thread == 0)
        {
            return true;
        }

        try
        {
            foreach (var line in File.ReadLines($"/proc/{thread}/status"))
            {
                if (line.StartsWith(StateField, StringComparison.Ordinal)
                    && line.AsSpan(StateField.Length).TrimStart() is ['Z' or 'X', ..])
                {
                    return true;
                }

                if (line.StartsWith(PendingField, StringComparison.Ordinal))
                {
                    var pending = line.AsSpan(PendingField.Length).Trim();
                    return !ulong.TryParse(pending, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var signals)
                        || (signals & KillBit) != 0;
                }
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // It is gone, or hidden from this user.
        }

        return true;
    }
}
