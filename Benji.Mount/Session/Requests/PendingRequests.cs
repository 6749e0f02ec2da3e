using System.Collections.Concurrent;
using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Store.Images;

namespace Benji.Mount.Session.Requests;

/// <summary>The requests that wait for something; each is let go when whoever asked is killed.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
internal sealed class PendingRequests(Replies replies, FuseErrors errors)
{
    // The kernel tells of the first signal only, so of a thread that lives on it is asked again whether it was killed.
    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<ulong, Waiting> _pending = new();
    private readonly EarlyInterrupts _early = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isStopping;
    private int _count;

    /// <summary>Requests that wait.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Ends when, after <see cref="Stop"/>, no request waits any more.</summary>
    public Task WhenIdle => _idle.Task;

    /// <summary>Begins a request on a thread of the pool; the reader goes on at once.</summary>
    /// <param name="request">The request.</param>
    /// <param name="image">What it is about, for the log; null for none.</param>
    /// <param name="work">Does it and answers it; when it throws instead, the error is answered.</param>
    public void Queue(RequestHeader request, ImageEntry? image, Func<CancellationToken, ValueTask> work)
    {
        Interlocked.Increment(ref _count);
        ThreadPool.UnsafeQueueUserWorkItem(
            static queued => _ = queued.Self.RunCountedAsync(queued.Request, queued.Image, queued.Work),
            (Self: this, Request: request, Image: image, Work: work),
            preferLocal: false);
    }

    /// <summary>Begins a request on this thread.</summary>
    /// <param name="request">The request.</param>
    /// <param name="image">What it is about, for the log; null for none.</param>
    /// <param name="work">Does it and answers it; when it throws instead, the error is answered.</param>
    /// <returns>Ends when the request was answered; never fails.</returns>
    public Task RunAsync(RequestHeader request, ImageEntry? image, Func<CancellationToken, ValueTask> work)
    {
        Interlocked.Increment(ref _count);
        return RunCountedAsync(request, image, work);
    }

    /// <summary>Learns that whoever asked got a signal, also before the request begins to wait; a killed one is let go.</summary>
    public void Interrupt(ulong unique)
    {
        // First remembered, then looked for: a request that begins in between finds it.
        _early.Add(unique);
        if (_pending.ContainsKey(unique))
        {
            _ = WatchAsync(unique);
        }
    }

    /// <summary>Interrupts all requests, those to come too.</summary>
    public void Stop()
    {
        _isStopping = true;
        foreach (var waiting in _pending.Values)
        {
            Cancel(waiting.Interruption);
        }

        MarkIdle();
    }

    private static void Cancel(CancellationTokenSource interruption)
    {
        try
        {
            // What is cancelled may go on at once and take long; this thread has requests to read.
            _ = interruption.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It was answered meanwhile.
        }
    }

    // Ends with the request.
    private async Task WatchAsync(ulong unique)
    {
        await Task.Yield();
        while (_pending.TryGetValue(unique, out var waiting))
        {
            if (KilledThreads.Contains(waiting.Thread))
            {
                Cancel(waiting.Interruption);
                return;
            }

            await Task.Delay(WatchInterval);
        }
    }

    private void MarkIdle()
    {
        if (_isStopping && Volatile.Read(ref _count) == 0)
        {
            _idle.TrySetResult();
        }
    }

    private async Task RunCountedAsync(
        RequestHeader request, ImageEntry? image, Func<CancellationToken, ValueTask> work)
    {
        using var interruption = new CancellationTokenSource();
        _pending[request.Unique] = new Waiting(interruption, request.Thread);
        try
        {
            if (_isStopping)
            {
                await interruption.CancelAsync();
            }
            else if (_early.Take(request.Unique))
            {
                _ = WatchAsync(request.Unique);
            }

            interruption.Token.ThrowIfCancellationRequested();
            await work(interruption.Token);
        }
#pragma warning disable CA1031 // The edge: whatever a handler throws is an error of that request, never the end of the mount.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            replies.SendError(request, errors.Translate(exception, request, image));
        }
        finally
        {
            _pending.TryRemove(request.Unique, out _);
            Interlocked.Decrement(ref _count);
            MarkIdle();
        }
    }

    private readonly record struct Waiting(CancellationTokenSource Interruption, uint Thread);
}
