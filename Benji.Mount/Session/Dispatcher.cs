using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Mount.Session.Handlers;
using Benji.Mount.Session.Requests;
using Benji.Store.Images;

namespace Benji.Mount.Session;

/// <summary>Hands each request to the one method that answers it.</summary>
internal sealed class Dispatcher(HandlerParts parts, IImageDirectory images, BufferPool buffers, Handshake handshake)
{
    private readonly NodeHandler _nodes = new(parts);
    private readonly DirectoryHandler _directories = new(parts);
    private readonly FileHandler _files = new(parts);
    private readonly ReadHandler _reads = new(parts);
    private readonly WriteHandler _writes = new(parts, buffers);
    private readonly RangeHandler _ranges = new(parts);
    private readonly ExtendedHandler _extended = new(parts, images);
    private readonly OverlayHandler _overlays = new(parts, images);

    /// <summary>Answers a request, at once or later.</summary>
    /// <param name="bytes">The request; lent for the call.</param>
    /// <param name="worker">The thread that read it.</param>
    public void Handle(ReadOnlySpan<byte> bytes, RequestWorker worker)
    {
        RequestHeader header;
        RequestBody body;
        try
        {
            header = RequestBody.Split(bytes, out body);
        }
        catch (FuseProtocolException exception)
        {
            // Without a head there is nobody to answer.
            parts.Errors.Translate(exception, default, image: null);
            return;
        }

        try
        {
            var request = new Request(header, body, worker);
            if (header.Opcode == Opcode.Read)
            {
                _reads.Read(ref request);
            }
            else
            {
                HandleOther(ref request);
            }
        }
#pragma warning disable CA1031 // The edge: whatever a handler throws is an error of that request, never the end of the mount.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            parts.Replies.SendError(header, parts.Errors.Translate(exception, header, parts.FindNode(header.Node)?.Entry));
        }
    }

    private void HandleOther(ref Request request)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Init:
                handshake.Answer(request.Header, request.Body);
                break;
            case Opcode.Interrupt:
                parts.Pending.Interrupt(request.Body.Take<InterruptRequest>().Unique);
                break;
            case Opcode.Forget or Opcode.ForgetMany or Opcode.Destroy:
                // Nodes are not counted: their numbers can be found again. There is no reply.
                break;
            case Opcode.Open:
                _files.Open(ref request);
                break;
            case Opcode.Release:
                _files.Release(ref request);
                break;
            case Opcode.Sync:
                _files.Sync(ref request);
                break;
            case Opcode.Write:
                _writes.Write(ref request);
                break;
            case Opcode.Allocate:
                _ranges.Allocate(ref request);
                break;
            case Opcode.Seek:
                _ranges.Seek(ref request);
                break;
            case Opcode.CopyRange or Opcode.CopyRange64:
                _ranges.CopyRange(ref request, request.Header.Opcode == Opcode.CopyRange64);
                break;
            case Opcode.Create:
                _overlays.Create(ref request);
                break;
            case Opcode.Unlink:
                _overlays.Unlink(ref request);
                break;
            default:
                HandleNode(ref request);
                break;
        }
    }

    private void HandleNode(ref Request request)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Lookup:
                _nodes.Lookup(ref request);
                break;
            case Opcode.GetAttributes:
                _nodes.GetAttributes(ref request);
                break;
            case Opcode.SetAttributes:
                _nodes.SetAttributes(ref request);
                break;
            case Opcode.ReadLink:
                _nodes.ReadLink(ref request);
                break;
            case Opcode.FileSystemStatus:
                _nodes.FileSystemStatus(ref request);
                break;
            case Opcode.OpenDirectory:
                _directories.Open(ref request);
                break;
            case Opcode.ReadDirectory or Opcode.ReadDirectoryPlus:
                _directories.Read(ref request, request.Header.Opcode == Opcode.ReadDirectoryPlus);
                break;
            case Opcode.ReleaseDirectory or Opcode.SyncDirectory:
                parts.Replies.SendDone(request.Header);
                break;
            case Opcode.GetExtended:
                _extended.Get(ref request);
                break;
            case Opcode.ListExtended:
                _extended.List(ref request);
                break;
            case Opcode.MakeDirectory or Opcode.MakeNode or Opcode.MakeLink or Opcode.HardLink
                or Opcode.RemoveDirectory or Opcode.Rename or Opcode.RenameWithFlags or Opcode.MakeTemporary:
                parts.Replies.SendError(request.Header, parts.IsReadOnly ? Errno.ReadOnlyFileSystem : Errno.NotPermitted);
                break;
            case Opcode.RemoveExtended or Opcode.SetExtended:
                // Who wants to set an access list sets the mode instead, as on a file system without them.
                parts.Replies.SendError(request.Header, parts.IsReadOnly ? Errno.ReadOnlyFileSystem : Errno.NotSupported);
                break;
            default:
                // The kernel takes it as never to be asked again, and does without.
                parts.Replies.SendError(request.Header, Errno.NotImplemented);
                break;
        }
    }
}
