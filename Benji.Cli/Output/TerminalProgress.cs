using Benji.Cli.Streams;
using Benji.Store.Operations;

namespace Benji.Cli.Output;

/// <summary>Shows the stage under way as one live line at a terminal, redrawn five times a second.</summary>
/// <remarks>Safe for concurrent calls. Disposal takes the line away and waits for a redraw that is under way.</remarks>
internal sealed class TerminalProgress : IOperationProgress, IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly Lock _rendering = new();
    private readonly ErrorOutput _output;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private volatile ProgressMeter? _meter;

    /// <summary>Starts redrawing on <paramref name="output"/>.</summary>
    public TerminalProgress(ErrorOutput output, TimeProvider time)
    {
        _output = output;
        _time = time;
        _timer = time.CreateTimer(_ => Redraw(), state: null, Interval, Interval);
    }

    /// <inheritdoc/>
    public void StartStage(string name, long? total, ProgressUnit unit)
    {
        _meter = new ProgressMeter(name, total, unit, _time);
        Redraw();
    }

    /// <inheritdoc/>
    public void Advance(long units) => _meter?.Advance(units);

    /// <summary>Ends the redrawing and takes the line away.</summary>
    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        _meter = null;
        _output.ShowLive("");
    }

    private void Redraw()
    {
        lock (_rendering)
        {
            if (_meter is { } meter)
            {
                _output.ShowLive(meter.Render(_output.Width));
            }
        }
    }
}
