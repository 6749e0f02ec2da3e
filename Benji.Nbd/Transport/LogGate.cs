using Benji.Nbd.Session.Requests;
using Microsoft.Extensions.Logging;

namespace Benji.Nbd.Transport;

/// <summary>Lets some lines about clients through and counts the others, whoever sends them.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
/// <param name="clock">The clock.</param>
/// <param name="logger">Receives how many lines were left out.</param>
internal sealed class LogGate(TimeProvider clock, ILogger logger) : ILogGate
{
    /// <summary>Lines let through in each period.</summary>
    public const int LinesMax = 20;

    /// <summary>The length of a period.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private readonly Lock _linesLock = new();
    private long _start = clock.GetTimestamp();
    private int _lines;
    private long _leftOut;

    /// <inheritdoc/>
    public bool MayLog()
    {
        long leftOut = 0;
        lock (_linesLock)
        {
            if (clock.GetElapsedTime(_start) >= Period)
            {
                (leftOut, _leftOut, _lines, _start) = (_leftOut, 0, 0, clock.GetTimestamp());
            }

            if (_lines == LinesMax)
            {
                _leftOut++;
                return false;
            }

            _lines++;
        }

        if (leftOut > 0)
        {
            Log.MessagesLeftOut(logger, leftOut);
        }

        return true;
    }
}
