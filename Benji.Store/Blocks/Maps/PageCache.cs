using Benji.Store.Model;

namespace Benji.Store.Blocks.Maps;

/// <summary>The map pages used last, a bounded number of them.</summary>
/// <remarks>Safe for concurrent calls. Pages are named by content, so that nothing in it ever becomes stale.</remarks>
internal sealed class PageCache(int pagesMax)
{
    private readonly Lock _entriesLock = new();
    private readonly Dictionary<PageId, LinkedListNode<(PageId Id, byte[] Content)>> _entries = [];
    private readonly LinkedList<(PageId Id, byte[] Content)> _newestFirst = new();

    /// <summary>Finds a page and makes it the newest; null when it is not there.</summary>
    public byte[]? Find(PageId id)
    {
        lock (_entriesLock)
        {
            if (!_entries.TryGetValue(id, out var node))
            {
                return null;
            }

            _newestFirst.Remove(node);
            _newestFirst.AddFirst(node);
            return node.Value.Content;
        }
    }

    /// <summary>Adds a page as the newest; the oldest goes when there are too many.</summary>
    public void Add(PageId id, byte[] content)
    {
        lock (_entriesLock)
        {
            if (_entries.ContainsKey(id))
            {
                return;
            }

            _entries.Add(id, _newestFirst.AddFirst((id, content)));
            if (_entries.Count > pagesMax)
            {
                _entries.Remove(_newestFirst.Last!.Value.Id);
                _newestFirst.RemoveLast();
            }
        }
    }
}
