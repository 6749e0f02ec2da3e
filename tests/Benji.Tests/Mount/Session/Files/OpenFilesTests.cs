using Benji.Mount.Session.Files;
using Benji.Mount.Tree;
using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Testing.Serving;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Mount.Session.Files;

/// <summary>The images that are open: until when they stay so, and what the end of a mount waits for and tells.</summary>
public sealed class OpenFilesTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ByteImages _images = new();
    private readonly OpenFiles _files;
    private TreeNode _first = null!;
    private TreeNode _second = null!;

    public OpenFilesTests() => _files = new OpenFiles(_images, NullLogger.Instance);

    public async Task InitializeAsync()
    {
        var version = _images.Add("vm/one", new byte[10]);
        var directory = TreeNode.Root().AddDirectory(2, "vm");
        _first = directory.AddImage(3, "one@a.img", await MakeAsync(version, "a"));
        _second = directory.AddImage(4, "one@b.img", await MakeAsync(version, "b"));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task WhatAFormerServerOpenedStaysOpenUntilItsRelease()
    {
        var file = await _files.EnterAsync(_first, CancellationToken.None);
        await _files.ExitAsync(file);
        Assert.Equal(1, _images.OpenCount);

        await _files.ExitAsync(await _files.EnterAsync(_first, CancellationToken.None));
        Assert.Equal(1, _images.OpenCount);

        await _files.ExitAsync(file);
        Assert.Equal(0, _images.OpenCount);
        Assert.Null(_files.Find(_first.Id));
    }

    [Fact]
    public async Task AnOpeningIsOneForAllWhoWaitForIt()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _images.Faults.Opening = () => go.Task;
        var openings = Enumerable.Range(0, 3).Select(_ => _files.OpenAsync(_first, CancellationToken.None).AsTask()).ToArray();
        go.SetResult();

        var files = await Task.WhenAll(openings);

        Assert.Single(files.Distinct());
        Assert.Equal(1, _images.OpenCount);
        await _files.ExitAsync(files[0]);
        await _files.ExitAsync(files[0]);
        Assert.Equal(1, _images.OpenCount);
        await _files.ExitAsync(files[0]);
        Assert.Equal(0, _images.OpenCount);
    }

    [Fact]
    public async Task AnImageThatWasOpenedForNobodyIsClosed()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _images.Faults.Opening = () => go.Task;
        _images.Faults.Closing = _ =>
        {
            closed.SetResult();
            return Task.CompletedTask;
        };
        using var cancellation = new CancellationTokenSource();
        var opening = _files.OpenAsync(_first, cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening);

        go.SetResult();

        await closed.Task.WaitAsync(Patience);
    }

    /// <summary>Two openings of one overlay at once would refuse each other, and its client be told that it is in use.</summary>
    [Fact]
    public async Task AnImageThatIsBeingClosedIsOpenedAfterwards()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var file = await _files.OpenAsync(_first, CancellationToken.None);
        _images.Faults.Closing = _ => go.Task;
        var openings = 0;
        _images.Faults.Opening = () =>
        {
            Interlocked.Increment(ref openings);
            return Task.CompletedTask;
        };
        var closing = _files.ExitAsync(file).AsTask();

        // All that it does before it has to wait is done when this returns.
        var opening = PostedWork.Run(() => _files.OpenAsync(_first, CancellationToken.None).AsTask());

        Assert.Same(file, _files.FindUnclosed(_first.Id));
        Assert.Equal(0, openings);
        go.SetResult();
        await closing;
        Assert.NotSame(file, await opening.WaitAsync(Patience));
        Assert.Equal(1, _images.OpenCount);
    }

    [Fact]
    public async Task WhatStatShowsOfAnOverlayIsRightWhoeverHasItOpen()
    {
        var entry = _first.Entry!;
        Assert.Equal(new OverlayFacts(entry.Overlay!.Created, entry.Size), _files.FactsOf(_first));
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var file = await _files.OpenAsync(_first, CancellationToken.None);
        await file.EmptyAsync(CancellationToken.None);
        var emptied = new OverlayFacts(file.Writable!.LastChange, 0);
        Assert.Equal(emptied, _files.FactsOf(_first));

        _images.Faults.Closing = _ => go.Task;
        var closing = _files.ExitAsync(file).AsTask();
        Assert.Equal(emptied, _files.FactsOf(_first));
        go.SetResult();
        await closing;
        Assert.Equal(emptied, _files.FactsOf(_first));

        // Another process changes it: what was known here is old.
        DateTimeOffset changed;
        await using (var elsewhere = await _images.OpenOverlayAsync(entry, CancellationToken.None))
        {
            await elsewhere.WriteAsync(0, new byte[] { 1 }, CancellationToken.None);
            changed = elsewhere.LastChange;
        }

        Assert.NotEqual(emptied.LastChange, changed);
        Assert.Equal(new OverlayFacts(changed, entry.Size), _files.FactsOf(_first));
        _images.Faults.Closing = null;
        await _images.DiscardOverlayAsync(entry, CancellationToken.None);
        Assert.Equal(new OverlayFacts(entry.Overlay!.Created, entry.Size), _files.FactsOf(_first));
    }

    [Fact]
    public async Task TheEndClosesEveryImageAndTellsThatOneFailed()
    {
        await _files.OpenAsync(_first, CancellationToken.None);
        await _files.OpenAsync(_second, CancellationToken.None);
        var closed = new List<string>();
        _images.Faults.Closing = name =>
        {
            closed.Add(name);
            throw new StorageException($"{name} failed, as told.", isTransient: false);
        };

        var failure = await Assert.ThrowsAsync<StorageException>(_files.CloseAllAsync);

        Assert.Equal(["vm/one@a", "vm/one@b"], closed.Order());
        Assert.Contains("as told", failure.Message, StringComparison.Ordinal);
        Assert.Empty(_files.All);
    }

    [Fact]
    public async Task TheEndWaitsForImagesThatAreBeingClosed()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var file = await _files.OpenAsync(_first, CancellationToken.None);
        _images.Faults.Closing = _ => go.Task;
        var closing = _files.ExitAsync(file).AsTask();

        var end = _files.CloseAllAsync();

        Assert.False(end.IsCompleted);
        go.SetResult();
        await end;
        await closing;
        Assert.Equal(0, _images.OpenCount);
    }

    private Task<ImageEntry> MakeAsync(ImageEntry version, string name) =>
        _images.CreateOverlayAsync(version, name, CancellationToken.None);

    /// <summary>Runs what is posted on the thread of the test, and forwards what comes later to the pool.</summary>
    private sealed class PostedWork : SynchronizationContext
    {
        private readonly Lock _postedLock = new();
        private Queue<Action>? _posted = new();

        public static T Run<T>(Func<T> begin)
        {
            var (before, work) = (Current, new PostedWork());
            SetSynchronizationContext(work);
            try
            {
                var result = begin();
                while (work.Take() is { } next)
                {
                    next();
                }

                return result;
            }
            finally
            {
                SetSynchronizationContext(before);
            }
        }

        public override void Post(SendOrPostCallback d, object? state)
        {
            lock (_postedLock)
            {
                if (_posted is not null)
                {
                    _posted.Enqueue(() => d(state));
                    return;
                }
            }

            base.Post(d, state);
        }

        private Action? Take()
        {
            lock (_postedLock)
            {
                if (_posted!.TryDequeue(out var next))
                {
                    return next;
                }

                _posted = null;
                return null;
            }
        }
    }
}
