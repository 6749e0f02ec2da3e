using Benji.Store.Model;

namespace Benji.Store.Images.Overlays.Files;

/// <summary>Makes an overlay's data and then its marks durable, in this order.</summary>
/// <remarks><see cref="Run"/> is for one caller at a time; the rest is safe beside it. A sync that failed ends all
/// writing, as nobody knows what the disk then holds.</remarks>
internal sealed class OverlaySync(IOverlayDisk disk, OverlayMarks marks)
{
    private const int PagesPerSync = 1024;

    private int _hasUnsyncedData;
    private volatile string? _failure;

    /// <summary>True when a flush would have something to do, or to tell.</summary>
    public bool HasUnflushed => Volatile.Read(ref _hasUnsyncedData) != 0 || marks.HasChanges || _failure is not null;

    /// <summary>Says that bytes were written; called behind the write.</summary>
    public void NoteWrite() => Volatile.Write(ref _hasUnsyncedData, 1);

    /// <summary>Refuses when a sync has failed.</summary>
    /// <exception cref="StorageException">It has.</exception>
    public void CheckSound()
    {
        if (_failure is { } failure)
        {
            throw new StorageException(failure, isTransient: false);
        }
    }

    /// <summary>Makes everything that was written and marked before durable.</summary>
    /// <exception cref="NoSpaceException">The disk is full; nothing is lost.</exception>
    /// <exception cref="StorageException">The file failed.</exception>
    public void Run()
    {
        CheckSound();

        // What becomes changed in the meantime waits for the next flush, so that this one ends.
        var pages = marks.ListChanged();
        for (var at = 0; at < pages.Length; at += PagesPerSync)
        {
            FlushMarks(pages.AsSpan(at, Math.Min(PagesPerSync, pages.Length - at)));
        }

        if (Interlocked.Exchange(ref _hasUnsyncedData, 0) != 0)
        {
            Sync();
        }
    }

    private void FlushMarks(ReadOnlySpan<long> pages)
    {
        var snapshot = marks.Take(pages);
        var wereWritten = false;
        try
        {
            // What these marks stand for was written before they were set, and so before this sync.
            Volatile.Write(ref _hasUnsyncedData, 0);
            Sync();
            WriteMarks(snapshot);
            NoteWrite();
            wereWritten = true;
        }
        finally
        {
            marks.End(snapshot, wereWritten);
        }
    }

    private void WriteMarks(MarkSnapshot snapshot)
    {
        for (var i = 0; i < snapshot.Pages.Length; i++)
        {
            var page = snapshot.Content.AsSpan(i * OverlayLayout.UnitSize, OverlayLayout.UnitSize);
            try
            {
                disk.Write(OverlayLayout.PageOffset(snapshot.Pages[i]), page);
            }
            catch (IOException failure)
            {
                throw OverlayErrors.Translate(failure, disk.Path);
            }
        }
    }

    private void Sync()
    {
        try
        {
            disk.Sync();
        }
        catch (IOException failure)
        {
            // The kernel may have dropped what it could not write and call it clean: a second sync would prove nothing.
            _failure = $"Overlay {disk.Path} could not be made durable ({failure.Message}); what was written since the last "
                + "flush may be lost. It takes no more writes until it is opened again.";
            throw new StorageException(_failure, isTransient: false, failure);
        }
    }
}
