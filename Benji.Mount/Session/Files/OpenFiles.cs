using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Benji.Mount.Tree;
using Benji.Store.Images;
using Benji.Store.Model;
using Microsoft.Extensions.Logging;

namespace Benji.Mount.Session.Files;

/// <summary>The images that are open, by the number of their node; one for each, however often it is opened.</summary>
/// <remarks>Safe for concurrent calls. A file that a former server opened is opened again when a request needs it: the
/// number of its openings is not known, so that the first release closes it and a later request opens it once more.</remarks>
internal sealed class OpenFiles(IImageDirectory images, ILogger logger)
{
    private readonly ConcurrentDictionary<ulong, OpenFile> _open = new();
    private readonly ConcurrentDictionary<ulong, OpenFile> _closing = new();
    private readonly ConcurrentDictionary<ulong, OverlayFacts> _closed = new();
    private readonly Lock _openingLock = new();
    private readonly Dictionary<ulong, Task<OpenFile>> _opening = [];

    /// <summary>The images that are open.</summary>
    public ICollection<OpenFile> All => _open.Values;

    /// <summary>Begins a use of a file that is open, without waiting.</summary>
    public bool TryEnter(ulong node, [NotNullWhen(true)] out OpenFile? file) =>
        _open.TryGetValue(node, out file) && file.TryEnter();

    /// <summary>Finds a file that is open, to look at it; it may be closed at any time.</summary>
    public OpenFile? Find(ulong node) => _open.GetValueOrDefault(node);

    /// <summary>Finds a file that is open, or whose image is still being closed and so belongs to this mount.</summary>
    public OpenFile? FindUnclosed(ulong node) => _open.GetValueOrDefault(node) ?? _closing.GetValueOrDefault(node);

    /// <summary>Begins a use of a file by a request; one that a former server opened is opened again.</summary>
    /// <exception cref="NotFoundException">The image is gone.</exception>
    /// <exception cref="InUseException">Another process has it open.</exception>
    public async ValueTask<OpenFile> EnterAsync(TreeNode node, CancellationToken cancellationToken)
    {
        if (TryEnter(node.Id, out var file))
        {
            return file;
        }

        file = await OpenAsync(node, cancellationToken);
        file.Adopt();
        return file;
    }

    /// <summary>Begins a use of a file by a client that opens it.</summary>
    /// <exception cref="NotFoundException">The image is gone.</exception>
    /// <exception cref="InUseException">Another process has it open.</exception>
    public async ValueTask<OpenFile> OpenAsync(TreeNode node, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryEnter(node.Id, out var file))
            {
                return file;
            }

            var opening = Open(node);
            try
            {
                await opening.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // Nobody else may want it: an overlay that stays open could not be removed.
                _ = CloseUnusedAsync(opening);
                throw;
            }
        }
    }

    /// <summary>Ends a use; the image is closed after the last.</summary>
    public ValueTask ExitAsync(OpenFile file) => file.Exit() ? new ValueTask(CloseAsync(file)) : default;

    /// <summary>Closes an image after its last use, on a thread of the pool.</summary>
    public void CloseLater(OpenFile file) =>
        ThreadPool.UnsafeQueueUserWorkItem(
            static queued => _ = queued.Self.CloseAsync(queued.File), (Self: this, File: file), preferLocal: false);

    /// <summary>Returns what stat shows of an overlay, whichever process has it open.</summary>
    /// <exception cref="BenjiException">Its file cannot be looked at.</exception>
    public OverlayFacts FactsOf(TreeNode overlay)
    {
        if (FindUnclosed(overlay.Id)?.Facts is { } facts)
        {
            return facts;
        }

        // What was known when it was closed is exact, and holds until another process changes it.
        var state = images.FindOverlayState(overlay.Entry!);
        return _closed.TryGetValue(overlay.Id, out var known) && known.LastChange == state?.LastChange
            ? known
            : OverlayFacts.Of(overlay.Entry!, state);
    }

    /// <summary>Forgets an overlay that was discarded.</summary>
    public void Forget(TreeNode overlay) => _closed.TryRemove(overlay.Id, out _);

    /// <summary>Makes all that was written to overlays durable and closes every image, whoever has it open.</summary>
    /// <exception cref="StorageException">An overlay could not be made durable; the others were.</exception>
    public async Task CloseAllAsync()
    {
        var failures = new List<Exception>();
        foreach (var file in _open.Values)
        {
            try
            {
                await file.Image.DisposeAsync();
            }
            catch (BenjiException failure)
            {
                Log.CloseFailed(logger, file.Image.Entry.Name, failure.Message);
                failures.Add(failure);
            }
        }

        _open.Clear();
        await Task.WhenAll(_closing.Values.Select(file => file.WhenClosed));
        if (failures.Count > 0)
        {
            throw new StorageException(failures[0].Message, isTransient: false, failures[0]);
        }
    }

    private Task<OpenFile> Open(TreeNode node)
    {
        lock (_openingLock)
        {
            if (!_opening.TryGetValue(node.Id, out var opening))
            {
                opening = OpenImageAsync(node);
                if (!opening.IsCompleted)
                {
                    _opening.Add(node.Id, opening);
                }
            }

            return opening;
        }
    }

    // Opened for whoever asks next, not for the caller alone: one interrupt must not fail the others.
    private async Task<OpenFile> OpenImageAsync(TreeNode node)
    {
        await Task.Yield();
        try
        {
            if (FindUnclosed(node.Id) is { } former)
            {
                if (!former.IsClosing)
                {
                    return former;
                }

                // An overlay that is still open, if only by this mount, cannot be opened.
                await former.WhenClosed;
            }

            var entry = node.Entry ?? throw new UsageException("Only files can be opened.");
            IImage image = node.Kind == NodeKind.Overlay
                ? await images.OpenOverlayAsync(entry, CancellationToken.None)
                : await images.OpenVersionAsync(entry, CancellationToken.None);
            var file = new OpenFile(node.Detach(), image);
            _open[node.Id] = file;
            return file;
        }
        finally
        {
            lock (_openingLock)
            {
                _opening.Remove(node.Id);
            }
        }
    }

    private async Task CloseUnusedAsync(Task<OpenFile> opening)
    {
        try
        {
            var file = await opening;
            if (file.TryBeginClose())
            {
                await CloseAsync(file);
            }
        }
        catch (BenjiException)
        {
            // It could not be opened: whoever waited for that was told.
        }
    }

    private async Task CloseAsync(OpenFile file)
    {
        try
        {
            if (file.Facts is { } facts)
            {
                _closed[file.Node.Id] = facts;
            }

            _closing[file.Node.Id] = file;
            _open.TryRemove(new KeyValuePair<ulong, OpenFile>(file.Node.Id, file));
            await file.Image.DisposeAsync();
        }
        catch (BenjiException failure)
        {
            Log.CloseFailed(logger, file.Image.Entry.Name, failure.Message);
        }
        finally
        {
            _closing.TryRemove(new KeyValuePair<ulong, OpenFile>(file.Node.Id, file));
            file.MarkClosed();
        }
    }
}
