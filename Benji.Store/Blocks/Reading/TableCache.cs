using System.Diagnostics.CodeAnalysis;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Reading;

/// <summary>The headers of the blocks that were used last, so that the next read of one needs no header read.</summary>
/// <remarks>Safe for concurrent calls. Finding allocates nothing.</remarks>
/// <param name="framesMax">At most so many frames in all: about 60 bytes of memory for each.</param>
internal sealed class TableCache(int framesMax)
{
    private readonly Lock _entriesLock = new();
    private readonly Dictionary<BlockId, LinkedListNode<(BlockId Id, OpenedObject Opened)>> _entries = [];

    // The most recently used comes first.
    private readonly LinkedList<(BlockId Id, OpenedObject Opened)> _order = new();
    private int _frames;

    /// <summary>Finds a block's header.</summary>
    public bool TryFind(BlockId id, [NotNullWhen(true)] out OpenedObject? opened)
    {
        lock (_entriesLock)
        {
            if (!_entries.TryGetValue(id, out var node))
            {
                opened = null;
                return false;
            }

            _order.Remove(node);
            _order.AddFirst(node);
            opened = node.Value.Opened;
            return true;
        }
    }

    /// <summary>Keeps a header, replacing an older one of the block, and forgets those that were not used for longest.</summary>
    public void Put(BlockId id, OpenedObject opened)
    {
        lock (_entriesLock)
        {
            RemoveEntry(id);
            if (opened.Table.FrameCount > framesMax)
            {
                return;
            }

            _entries.Add(id, _order.AddFirst((id, opened)));
            _frames += opened.Table.FrameCount;
            while (_frames > framesMax)
            {
                RemoveEntry(_order.Last!.Value.Id);
            }
        }
    }

    /// <summary>Forgets a block's header.</summary>
    public void Remove(BlockId id)
    {
        lock (_entriesLock)
        {
            RemoveEntry(id);
        }
    }

    private void RemoveEntry(BlockId id)
    {
        if (_entries.Remove(id, out var node))
        {
            _order.Remove(node);
            _frames -= node.Value.Opened.Table.FrameCount;
        }
    }
}
