using System.Runtime.ExceptionServices;
using System.Threading.Channels;

namespace Benji.Store.Operations.Running;

/// <summary>Runs one producer and several workers over a bounded channel; the first failure stops them all and is thrown.</summary>
internal static class WorkerPool
{
    private const int ItemsPerWorker = 2;

    /// <summary>Runs until every item is worked on.</summary>
    /// <param name="workers">How many workers.</param>
    /// <param name="produce">Writes the items; the channel is completed for it.</param>
    /// <param name="work">One worker: takes items until there are none.</param>
    /// <param name="cancellationToken">Stops all of them; this returns when the last has ended.</param>
    public static async Task RunAsync<T>(
        int workers,
        Func<ChannelWriter<T>, CancellationToken, Task> produce,
        Func<ChannelReader<T>, CancellationToken, Task> work,
        CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var channel = Channel.CreateBounded<T>(
            new BoundedChannelOptions(workers * ItemsPerWorker) { SingleWriter = true });
        var tasks = Enumerable.Range(0, workers)
            .Select(_ => Task.Run(
                () => StopAllOnFailureAsync(work(channel.Reader, stopping.Token), stopping), CancellationToken.None))
            .Prepend(StopAllOnFailureAsync(ProduceAsync(channel.Writer, produce, stopping.Token), stopping))
            .ToArray();
        try
        {
            await Task.WhenAll(tasks);
        }
        catch (OperationCanceledException)
        {
            // The cancellations that a failure sets off among the others must not hide it.
            var fault = tasks.FirstOrDefault(task => task.IsFaulted)?.Exception?.InnerException;
            if (fault is not null)
            {
                ExceptionDispatchInfo.Throw(fault);
            }

            throw;
        }
    }

    private static async Task ProduceAsync<T>(
        ChannelWriter<T> writer,
        Func<ChannelWriter<T>, CancellationToken, Task> produce,
        CancellationToken cancellationToken)
    {
        try
        {
            await produce(writer, cancellationToken);
        }
        finally
        {
            writer.Complete();
        }
    }

    private static async Task StopAllOnFailureAsync(Task task, CancellationTokenSource stopping)
    {
        try
        {
            await task;
        }
        finally
        {
            if (!task.IsCompletedSuccessfully)
            {
                await stopping.CancelAsync();
            }
        }
    }
}
