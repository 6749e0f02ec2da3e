using System.Text;
using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Mount.Tree;
using Benji.Store.Images;

namespace Benji.Mount.Session.Handlers;

/// <summary>Extended attributes: <c>user.benji.*</c> of images, and of anything else that there is none.</summary>
internal sealed class ExtendedHandler(HandlerParts parts, IImageDirectory images)
{
    private const string OwnSpace = "user.";
    private const string AccessLists = "system.posix_acl_";

    /// <summary>Returns a value, or its length. Whoever asks for a security label hears that there is no such thing here, and
    /// asks for no other file's: a listing of ten thousand files is ten thousand requests shorter.</summary>
    public void Get(ref Request request)
    {
        var room = request.Body.Take<ExtendedSize>();
        var name = RequestBody.Text(request.Body.TakeName());
        var entry = parts.FindNode(request.Header.Node)?.Entry;
        var value = entry is null || name is null ? null : Find(entry, name);
        if (value is null)
        {
            var couldBe = name is not null
                && (name.StartsWith(OwnSpace, StringComparison.Ordinal) || name.StartsWith(AccessLists, StringComparison.Ordinal));
            parts.Replies.SendError(request.Header, couldBe ? Errno.NoData : Errno.NotSupported);
            return;
        }

        Send(request.Header, value, room.Size);
    }

    /// <summary>Returns the names, or their length.</summary>
    public void List(ref Request request)
    {
        var room = request.Body.Take<ExtendedSize>();
        var entry = parts.FindNode(request.Header.Node)?.Entry;
        Send(request.Header, entry is null ? [] : ImageMetadata.List(entry), room.Size);
    }

    private byte[]? Find(ImageEntry entry, string name) => name != ImageFile.StoreAttribute
        ? ImageMetadata.Find(entry, name)
        : images.FindStoreIdentity() is { } identity ? Encoding.UTF8.GetBytes(identity) : null;

    private void Send(in RequestHeader header, byte[] bytes, uint room)
    {
        if (room == 0)
        {
            parts.Replies.Send(header, new ExtendedSize { Size = (uint)bytes.Length });
        }
        else if (bytes.Length > room)
        {
            parts.Replies.SendError(header, Errno.Range);
        }
        else
        {
            parts.Replies.SendBytes(header, bytes);
        }
    }
}
