using System.Diagnostics.CodeAnalysis;
using Benji.Store.Model;
using Benji.Store.Posix;

namespace Benji.Store.Images.Overlays.Files;

/// <summary>The directory of overlay files: makes, finds, renames and deletes them, each step durable when it returns.</summary>
/// <remarks>Who may do which is decided by the overlays' leases. Format: docs/format.md, "Overlay file".</remarks>
/// <param name="path">The directory; made when the first overlay is.</param>
/// <param name="files">Changes it.</param>
internal sealed class OverlayDirectory(string path, IOverlayFiles files)
{
    private const string Suffix = ".overlay";
    private const string DiscardedSuffix = ".discarded";
    private const string TemporarySuffix = ".tmp";
    private static readonly TimeSpan TemporaryAge = TimeSpan.FromHours(1);

    /// <summary>Takes a real directory.</summary>
    /// <param name="path">The directory; made when the first overlay is.</param>
    public OverlayDirectory(string path)
        : this(path, new PosixOverlayFiles())
    {
    }

    /// <summary>Where the file of an overlay is.</summary>
    public string PathOf(Guid id) => Path.Combine(path, $"{id:N}{Suffix}");

    /// <summary>Makes the file of a new overlay; nothing of its image takes space.</summary>
    /// <exception cref="NoSpaceException">The disk is full.</exception>
    /// <exception cref="StorageException">It could not be made, or its file system has no files of that length.</exception>
    public void Create(OverlayHeader header)
    {
        var temporary = Path.Combine(path, $".{header.Id:N}{TemporarySuffix}");
        try
        {
            files.CreateDirectory(path);
            using (var file = files.Create(temporary, header.Layout.FileLength))
            {
                file.Write(0, header.Format());
                file.Sync();
                files.Rename(temporary, PathOf(header.Id));
                file.SetModified(header.Created);
            }

            files.SyncDirectory(path);
        }
        catch (IOException failure)
        {
            TryDelete(temporary);
            throw failure is PosixException { Errno: Errno.FileTooLarge or Errno.Invalid }
                ? new StorageException(
                    $"The file system of {path} has no files of {header.Layout.FileLength} bytes, which an overlay of " +
                    $"{header.BaseName} takes (as holes); put the overlays on another, such as XFS.",
                    isTransient: false,
                    failure)
                : OverlayErrors.Translate(failure, path);
        }
    }

    /// <summary>Lists the overlays that have a file, and whether its discard was begun.</summary>
    /// <exception cref="StorageException">The directory cannot be read.</exception>
    /// <exception cref="ConfigurationException">A symbolic link has such a name; as with every other method here.</exception>
    public IReadOnlyList<(Guid Id, bool IsDiscarded)> List() => Do(() =>
    {
        var found = new List<(Guid, bool)>();
        foreach (var file in files.List(path))
        {
            var isDiscarded = file.EndsWith(DiscardedSuffix, StringComparison.Ordinal);
            if ((isDiscarded || file.EndsWith(Suffix, StringComparison.Ordinal))
                && Guid.TryParseExact(Path.GetFileNameWithoutExtension(file), "N", out var id)
                && Exists(file))
            {
                found.Add((id, isDiscarded));
            }
        }

        return found;
    });

    /// <summary>Opens the file of an overlay; takes a begun discard back first.</summary>
    /// <exception cref="NotFoundException">There is no such file.</exception>
    /// <exception cref="CorruptDataException">It is damaged.</exception>
    /// <exception cref="StorageException">It cannot be opened.</exception>
    public OverlayFile Open(Guid id, bool mayWrite) => Do(() =>
    {
        if (mayWrite)
        {
            TakeBack(id);
        }

        return OpenFile(Exists(PathOf(id)) ? PathOf(id) : DiscardedPathOf(id), mayWrite);
    });

    /// <summary>Returns the bytes of disk that an overlay takes, or null when it has no file.</summary>
    /// <exception cref="StorageException">It cannot be looked up.</exception>
    public long? FindAllocated(Guid id) => Do(() =>
        (files.Find(PathOf(id)) ?? files.Find(DiscardedPathOf(id)))?.AllocatedBytes);

    /// <summary>Returns what the file of an overlay tells without being opened, or null when there is none.</summary>
    /// <exception cref="StorageException">It cannot be looked up.</exception>
    public OverlayState? FindState(Guid id) => Do(() => files.Find(PathOf(id)) is { } file
        ? new OverlayState(file.Modified, Math.Max(0, file.AllocatedBytes - OverlayHeader.Length))
        : (OverlayState?)null);

    /// <summary>Begins a discard: without its row in the catalog the file is to be deleted from now on.</summary>
    /// <exception cref="StorageException">It could not be renamed.</exception>
    public void BeginDiscard(Guid id) => Do(() =>
    {
        if (Exists(PathOf(id)))
        {
            files.Rename(PathOf(id), DiscardedPathOf(id));
            files.SyncDirectory(path);
        }

        return true;
    });

    /// <summary>Takes a begun discard back; one that was not begun is no error.</summary>
    /// <exception cref="StorageException">It could not be renamed.</exception>
    public void UndoDiscard(Guid id) => Do(() =>
    {
        TakeBack(id);
        return true;
    });

    /// <summary>Deletes the file of an overlay; a missing one is no error.</summary>
    /// <exception cref="StorageException">It could not be deleted.</exception>
    public void Delete(Guid id) => Do(() =>
    {
        files.Delete(PathOf(id));
        files.Delete(DiscardedPathOf(id));
        files.SyncDirectory(path);
        return true;
    });

    /// <summary>Deletes headers that a killed creation left unnamed.</summary>
    /// <param name="now">The time.</param>
    /// <exception cref="StorageException">One could not be deleted.</exception>
    public void DeleteTemporary(DateTimeOffset now) => Do(() =>
    {
        foreach (var file in files.List(path).Where(IsTemporary))
        {
            if (files.Find(file) is { Kind: FileKind.Regular } status && (now - status.Modified).Duration() > TemporaryAge)
            {
                files.Delete(file);
            }
        }

        return true;
    });

    // Exactly the names that a creation gives.
    private static bool IsTemporary(string file) =>
        Path.GetFileName(file) is ['.', .. var name]
        && name.EndsWith(TemporarySuffix, StringComparison.Ordinal)
        && Guid.TryParseExact(name[..^TemporarySuffix.Length], "N", out _);

    private string DiscardedPathOf(Guid id) => Path.Combine(path, $"{id:N}{DiscardedSuffix}");

    private bool Exists(string file) => files.Find(file) is not null;

    private void TakeBack(Guid id)
    {
        if (!Exists(PathOf(id)) && Exists(DiscardedPathOf(id)))
        {
            files.Rename(DiscardedPathOf(id), PathOf(id));
            files.SyncDirectory(path);
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The overlay file owns the disk, also when it fails.")]
    private OverlayFile OpenFile(string file, bool mayWrite)
    {
        IOverlayDisk disk;
        try
        {
            disk = files.Open(file, mayWrite);
        }
        catch (PosixException failure) when (failure.Errno == Errno.NotFound)
        {
            throw new NotFoundException($"The file of the overlay is gone: there is no {file}.", failure);
        }

        return OverlayFile.Open(disk);
    }

    private void TryDelete(string temporary)
    {
        try
        {
            files.Delete(temporary);
        }
        catch (IOException)
        {
            // The failure that brought us here is the one to report; the next run deletes what is old.
        }
    }

    private T Do<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (IOException failure)
        {
            throw OverlayErrors.Translate(failure, path);
        }
    }
}
