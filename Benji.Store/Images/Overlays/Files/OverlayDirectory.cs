using System.Diagnostics.CodeAnalysis;
using Benji.Store.Model;
using Benji.Store.Posix;

namespace Benji.Store.Images.Overlays.Files;

/// <summary>The directory of overlay files: makes, finds, renames and deletes them, each step durable when it returns.</summary>
/// <remarks>Who may do which is decided by the overlays' leases. Format: docs/format.md, "Overlay file".</remarks>
/// <param name="path">The directory; made when the first overlay is.</param>
internal sealed class OverlayDirectory(string path)
{
    private const string Suffix = ".overlay";
    private const string DiscardedSuffix = ".discarded";
    private static readonly TimeSpan TemporaryAge = TimeSpan.FromHours(1);

    /// <summary>Where the file of an overlay is.</summary>
    public string PathOf(Guid id) => Path.Combine(path, $"{id:N}{Suffix}");

    /// <summary>Makes the file of a new overlay; nothing of its image takes space.</summary>
    /// <exception cref="NoSpaceException">The disk is full.</exception>
    /// <exception cref="StorageException">It could not be made, or its file system has no files of that length.</exception>
    public void Create(OverlayHeader header)
    {
        var temporary = Path.Combine(path, $".{header.Id:N}.tmp");
        try
        {
            PosixDirectory.CreateDurably(path);
            using (var file = PosixFile.Open(temporary, OpenFlags.Write | OpenFlags.Create | OpenFlags.Exclusive))
            {
                PosixFile.Truncate(file, temporary, header.Layout.FileLength);
                PosixFile.Write(file, temporary, 0, header.Format());
                PosixFile.Sync(file, temporary);
            }

            PosixFile.Rename(temporary, PathOf(header.Id));
            PosixDirectory.Sync(path);
        }
        catch (PosixException failure)
        {
            PosixFile.TryDelete(temporary);
            throw failure.Errno is Errno.FileTooLarge or Errno.Invalid
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
    public IReadOnlyList<(Guid Id, bool IsDiscarded)> List() => Do(() =>
    {
        var found = new List<(Guid, bool)>();
        foreach (var file in Directory.Exists(path) ? Directory.EnumerateFiles(path) : [])
        {
            var isDiscarded = file.EndsWith(DiscardedSuffix, StringComparison.Ordinal);
            if ((isDiscarded || file.EndsWith(Suffix, StringComparison.Ordinal))
                && Guid.TryParseExact(Path.GetFileNameWithoutExtension(file), "N", out var id))
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

        return OpenFile(File.Exists(PathOf(id)) ? PathOf(id) : DiscardedPathOf(id), mayWrite);
    });

    /// <summary>Returns the bytes of disk that an overlay takes, or null when it has no file.</summary>
    /// <exception cref="StorageException">It cannot be looked up.</exception>
    public long? FindAllocated(Guid id) => Do(() =>
        (FileStatus.Find(PathOf(id), followLink: false)
            ?? FileStatus.Find(DiscardedPathOf(id), followLink: false))?.AllocatedBytes);

    /// <summary>Begins a discard: without its row in the catalog the file is to be deleted from now on.</summary>
    /// <exception cref="StorageException">It could not be renamed.</exception>
    public void BeginDiscard(Guid id) => Do(() =>
    {
        if (File.Exists(PathOf(id)))
        {
            PosixFile.Rename(PathOf(id), DiscardedPathOf(id));
            PosixDirectory.Sync(path);
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
        PosixFile.Delete(PathOf(id));
        PosixFile.Delete(DiscardedPathOf(id));
        if (Directory.Exists(path))
        {
            PosixDirectory.Sync(path);
        }

        return true;
    });

    /// <summary>Deletes headers that a killed creation left unnamed.</summary>
    /// <param name="now">The time.</param>
    /// <exception cref="StorageException">One could not be deleted.</exception>
    public void DeleteTemporary(DateTimeOffset now) => Do(() =>
    {
        foreach (var file in Directory.Exists(path) ? Directory.EnumerateFiles(path, ".*.tmp") : [])
        {
            if (FileStatus.Find(file, followLink: false) is { } status && now - status.Modified > TemporaryAge)
            {
                PosixFile.Delete(file);
            }
        }

        return true;
    });

    private string DiscardedPathOf(Guid id) => Path.Combine(path, $"{id:N}{DiscardedSuffix}");

    private void TakeBack(Guid id)
    {
        if (!File.Exists(PathOf(id)) && File.Exists(DiscardedPathOf(id)))
        {
            PosixFile.Rename(DiscardedPathOf(id), PathOf(id));
            PosixDirectory.Sync(path);
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The overlay file owns the disk, also when it fails.")]
    private static OverlayFile OpenFile(string file, bool mayWrite)
    {
        FileOverlayDisk disk;
        try
        {
            disk = new FileOverlayDisk(file, mayWrite);
        }
        catch (PosixException failure) when (failure.Errno == Errno.NotFound)
        {
            throw new NotFoundException($"The file of the overlay is gone: there is no {file}.", failure);
        }

        return OverlayFile.Open(disk);
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
