using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Store.Transforms;

namespace Benji.Store.Blocks.Sealing;

/// <summary>An object whose header was read and verified, ready to open its frames.</summary>
/// <remarks>Safe for concurrent calls. Holds the object's key once a frame was opened, and gives it back when the
/// object is collected: readers share it, so none of them disposes it.</remarks>
internal sealed class OpenedObject(ObjectName name, SealedHeader header)
{
    private ObjectKey? _key;

    /// <summary>The name it was read by.</summary>
    public ObjectName Name { get; } = name;

    /// <summary>Its header.</summary>
    public SealedHeader Header { get; } = header;

    /// <summary>Its frames.</summary>
    public FrameTable Table => Header.Table;

    /// <summary>Returns the object's key, unwrapped once.</summary>
    /// <exception cref="CorruptDataException">The key was not wrapped by this store's key.</exception>
    public ObjectKey Unwrap(KeyWrap wrap)
    {
        if (Volatile.Read(ref _key) is { } known)
        {
            return known;
        }

        Span<byte> bytes = stackalloc byte[ObjectKey.Size];
        if (!wrap.TryUnwrap(Header.WrappedKey.Span, bytes))
        {
            throw new CorruptDataException($"Object {Name} has a key that the store's key does not unwrap.");
        }

        var key = new ObjectKey(bytes);
        bytes.Clear();
        if (Interlocked.CompareExchange(ref _key, key, null) is { } other)
        {
            key.Dispose();
            return other;
        }

        return key;
    }
}
