using Benji.Mount.Tree;
using Microsoft.Extensions.Logging;

namespace Benji.Mount.Session;

/// <summary>Looks several times a second whether images have come or gone, and has the kernel told.</summary>
internal sealed class TreeWatcher(
    ImageTree tree, Notifier notifier, TimeSpan interval, TimeProvider clock, ILogger logger)
{
    // A long listing is not begun again and again while others write: it takes at most a fifth of a processor.
    private const int RestFactor = 4;

    private static readonly TimeSpan RestMax = TimeSpan.FromMilliseconds(700);

    private bool _isFailing;

    /// <summary>Watches until it is cancelled; failures to look are logged once until it succeeds again.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            var rest = interval;
            while (true)
            {
                await Task.Delay(rest, clock, cancellationToken);
                var start = clock.GetTimestamp();
                await LookAsync(cancellationToken);
                var wanted = clock.GetElapsedTime(start) * RestFactor;
                rest = wanted < interval ? interval : wanted < RestMax ? wanted : RestMax;
            }
        }
        catch (OperationCanceledException)
        {
            // The mount ends.
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            var changes = await tree.RefreshAsync(cancellationToken);
            if (changes.Added.Count + changes.Removed.Count > 0)
            {
                Log.TreeChanged(logger, changes.Added.Count, changes.Removed.Count);
                notifier.Tell(changes, cancellationToken);
            }

            _isFailing = false;
        }
        catch (OperationCanceledException)
        {
            throw;
        }
#pragma warning disable CA1031 // Whatever keeps it from looking once, it looks again.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            if (!_isFailing)
            {
                Log.RefreshFailed(logger, failure.Message);
                _isFailing = true;
            }
        }
    }
}
