using System.Globalization;
using Benji.Cli.Output;
using Benji.Store.Operations;
using Microsoft.Extensions.Logging;

namespace Benji.Cli.Logging;

/// <summary>Logs how far each stage is, for runs that nobody watches: a line as it begins, then one for every tenth, and
/// one after 30 s without any.</summary>
/// <remarks>Tenths that follow each other within a second share a line, so that a short run stays short in the log. Safe for
/// concurrent calls. Disposal waits for a line that is under way.</remarks>
internal sealed class LineProgress : IOperationProgress, IAsyncDisposable
{
    private const int Parts = 10;
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Spacing = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private ProgressMeter? _meter;
    private long? _total;
    private long _done;
    private long _tenth;
    private long _told;

    /// <summary>Logs to <paramref name="logger"/>.</summary>
    public LineProgress(ILogger logger, TimeProvider time)
    {
        _logger = logger;
        _time = time;
        _timer = time.CreateTimer(_ => TellAfterSilence(), state: null, Silence, Silence);
    }

    /// <inheritdoc/>
    public void StartStage(string name, long? total, ProgressUnit unit)
    {
        lock (_lock)
        {
            _meter = new ProgressMeter(name, total, unit, _time);
            (_total, _done, _tenth) = (total, 0, 0);
            Rest();
        }

        if (total is not { } whole)
        {
            Log.StageStarted(_logger, name);
            return;
        }

        var amount = unit == ProgressUnit.Bytes ? Quantities.Bytes(whole) : whole.ToString(CultureInfo.InvariantCulture);
        Log.SizedStageStarted(_logger, name, amount);
    }

    /// <inheritdoc/>
    public void Advance(long units)
    {
        lock (_lock)
        {
            _meter?.Advance(units);
            _done += units;
            // The end of a stage is the beginning of the next one, or the summary.
            if (_total is { } total && _done < total && TenthOf(total) > _tenth && _time.GetElapsedTime(_told) >= Spacing)
            {
                Tell();
            }
        }
    }

    /// <summary>Ends the lines.</summary>
    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private void TellAfterSilence()
    {
        lock (_lock)
        {
            if (_meter is not null && _time.GetElapsedTime(_told) >= Silence)
            {
                Tell();
            }
        }
    }

    private void Tell()
    {
        Rest();
        _tenth = _total is { } total ? TenthOf(total) : 0;
        Log.StageAdvanced(_logger, _meter!.Render(0));
    }

    private void Rest()
    {
        _told = _time.GetTimestamp();
        _timer.Change(Silence, Silence);
    }

    private long TenthOf(long total) => total <= 0 ? 0 : (long)((double)_done / total * Parts);
}
