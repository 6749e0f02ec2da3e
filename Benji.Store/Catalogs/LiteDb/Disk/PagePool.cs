namespace Benji.Store.Catalogs.LiteDb.Disk;

/// <summary>Lends the page-sized arrays that a commit passes through, so that large ones leave no large garbage.</summary>
/// <remarks>One thread at a time.</remarks>
internal sealed class PagePool
{
    /// <summary>Arrays kept for the next commit, 16 MiB: a commit holds each of its pages twice.</summary>
    private const int KeptMax = 2048;

    private readonly Stack<byte[]> _free = new();

    /// <summary>Returns an array of <see cref="WalGroup.EntrySize"/> bytes with any content.</summary>
    public byte[] Rent() => _free.TryPop(out var page) ? page : new byte[WalGroup.EntrySize];

    /// <summary>Takes an array back.</summary>
    public void Return(byte[] page)
    {
        if (_free.Count < KeptMax)
        {
            _free.Push(page);
        }
    }
}
