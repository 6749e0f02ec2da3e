namespace Benji.Nbd.Transport;

/// <summary>The connections of a server: lets new ones in, drops some when there are too many, ends all.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
/// <param name="parts">What they share.</param>
internal sealed class Connections(ServerParts parts)
{
    private readonly Lock _connectionsLock = new();

    // The oldest first.
    private readonly List<Connection> _admitted = [];
    private readonly HashSet<Task> _running = [];
    private bool _isStopping;

    /// <summary>Serves a connection, or closes it at once when all places are taken by clients that have chosen an
    /// export. A client that is still choosing gives its place to a newer one.</summary>
    public void Serve(Connection connection)
    {
        Connection? dropped = null;
        lock (_connectionsLock)
        {
            if (_admitted.Count >= parts.Options.ConnectionsMax)
            {
                dropped = _admitted.Find(admitted => admitted.IsHandshaking) ?? connection;
                _admitted.Remove(dropped);
            }

            if (_isStopping)
            {
                dropped = connection;
            }

            if (dropped != connection)
            {
                _admitted.Add(connection);
            }
        }

        if (dropped is not null)
        {
            parts.Counters.RefusedOne();
            if (parts.Gate.MayLog())
            {
                Log.ClientFailed(
                    parts.Logger, dropped.Name, $"It was dropped: {parts.Options.ConnectionsMax} connections are open.");
            }

            dropped.Stop();
        }

        if (dropped == connection)
        {
            connection.Dispose();
            return;
        }

        parts.Counters.Opened();
        var running = RunAsync(connection);
        lock (_connectionsLock)
        {
            _running.Add(running);
        }

        _ = running.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <summary>Ends all connections in order, and breaks those that take too long.</summary>
    public async Task StopAsync()
    {
        Connection[] admitted;
        Task[] running;
        lock (_connectionsLock)
        {
            _isStopping = true;
            admitted = [.. _admitted];
            running = [.. _running];
        }

        Log.Stopping(parts.Logger, admitted.Length);
        foreach (var connection in admitted)
        {
            connection.Stop();
        }

        var all = Task.WhenAll(running);
        using var timeout = new CancellationTokenSource(parts.Options.StopTimeout, parts.Options.Clock);
        await Task.WhenAny(all, Task.Delay(Timeout.InfiniteTimeSpan, timeout.Token));
        foreach (var connection in admitted)
        {
            connection.Abort();
        }

        await all;
    }

    private async Task RunAsync(Connection connection)
    {
        try
        {
            await connection.RunAsync();
        }
        finally
        {
            lock (_connectionsLock)
            {
                _admitted.Remove(connection);
            }

            connection.Dispose();
            parts.Counters.Closed();
        }
    }

    private void Forget(Task running)
    {
        lock (_connectionsLock)
        {
            _running.Remove(running);
        }
    }
}
