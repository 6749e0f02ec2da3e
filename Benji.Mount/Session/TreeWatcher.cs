using Benji.Mount.Tree;
using Microsoft.Extensions.Logging;

namespace Benji.Mount.Session;

/// <summary>Looks several times a second whether images have come or gone, and has the kernel told.</summary>
internal sealed class TreeWatcher(
    ImageTree tree, Notifier notifier, TimeSpan interval, TimeProvider clock, ILogger logger)
{
    private bool _isFailing;

    /// <summary>Watches until it is cancelled; failures to look are logged once until it succeeds again.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(interval, clock, cancellationToken);
                await LookAsync(cancellationToken);
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
