using Benji.Store.Images;
using Benji.Store.Model;

namespace Benji.Mount.Tree;

/// <summary>The tree as it is now: read again when the directory of images has changed, and at once after own changes.</summary>
/// <remarks>Safe for concurrent calls, <see cref="RefreshAsync"/> apart, which has one caller.</remarks>
internal sealed class ImageTree(IImageDirectory images)
{
    private const int ListingsMax = 8;

    private readonly Lock _changeLock = new();
    private readonly NodeIds _ids = new();
    private volatile TreeSnapshot _current = TreeSnapshot.Build([], new NodeIds());
    private long? _generation;
    private int _ownChanges;

    /// <summary>The tree as it is now.</summary>
    public TreeSnapshot Current => _current;

    /// <summary>Reads the directory of images again when it may have changed.</summary>
    /// <returns>What has changed since the last time, own changes apart.</returns>
    public async Task<TreeChanges> RefreshAsync(CancellationToken cancellationToken)
    {
        for (var listings = 0; listings < ListingsMax; listings++)
        {
            var generation = images.ReadGeneration();
            if (generation == _generation)
            {
                break;
            }

            int ownChanges;
            lock (_changeLock)
            {
                ownChanges = _ownChanges;
            }

            var entries = await images.ListAsync(volume: null, cancellationToken);
            lock (_changeLock)
            {
                // A listing that began before an own change may not know of it.
                if (ownChanges == _ownChanges)
                {
                    var before = _current;
                    _current = TreeSnapshot.Build(entries, _ids);
                    _generation = generation;
                    var changes = TreeChanges.Between(before, _current);
                    foreach (var node in changes.Removed)
                    {
                        _ids.NoteGone(node.Id);
                    }

                    return changes;
                }
            }
        }

        // Own changes without end: the next look sees them.
        return TreeChanges.None;
    }

    /// <summary>Adds an overlay that was just made.</summary>
    /// <returns>Its node, in the tree as it is now.</returns>
    public TreeNode Add(ImageEntry overlay)
    {
        lock (_changeLock)
        {
            var id = _ids.OfImage(overlay.Id);
            if (_current.Find(id) is { } known)
            {
                return known;
            }

            var entries = _current.Entries.ToList();
            var last = entries.FindLastIndex(entry => entry.Version.Id == overlay.Version.Id);
            entries.Insert(last + 1, overlay);
            Replace(entries);
            return _current.Find(id)!;
        }
    }

    /// <summary>Takes out an overlay that was just discarded.</summary>
    public void Remove(ImageEntry overlay)
    {
        lock (_changeLock)
        {
            Replace([.. _current.Entries.Where(entry => entry.Id != overlay.Id)]);
        }
    }

    private void Replace(IReadOnlyList<ImageEntry> entries)
    {
        Invariant.Holds(_generation is not null);
        _ownChanges++;
        _current = TreeSnapshot.Build(entries, _ids);
    }
}
