using System.Runtime.InteropServices;

namespace Benji.Cli;

/// <summary>Turns SIGINT, SIGTERM and SIGHUP into a token: the first one stops cleanly, the second ends at once.</summary>
internal sealed class Interruption : IDisposable
{
    // A write beyond the limit of a file's size (ulimit -f) then fails as on a full disk, instead of ending the process.
    private const PosixSignal FileSizeExceeded = (PosixSignal)25; // SIGXFSZ

    private readonly CancellationTokenSource _stop = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private Action<string>? _stopping;
    private int _received;

    /// <summary>Is cancelled by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>Starts to take the signals; without it they end the process as they always do.</summary>
    /// <param name="stopping">Is told the name of the first signal.</param>
    public void Listen(Action<string> stopping)
    {
        _stopping = stopping;
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, Receive));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, Receive));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, Receive));
        _registrations.Add(PosixSignalRegistration.Create(FileSizeExceeded, static context => context.Cancel = true));
    }

    /// <summary>Stops, as the first signal does.</summary>
    public void Stop(string signal)
    {
        _stopping?.Invoke(signal);
        _stop.Cancel();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _stop.Dispose();
    }

    private void Receive(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _received) > 1)
        {
            Environment.Exit(ExitCodes.Interrupted);
        }

        Stop(context.Signal.ToString());
    }
}
