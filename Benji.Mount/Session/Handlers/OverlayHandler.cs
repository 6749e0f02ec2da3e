using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Mount.Session.Files;
using Benji.Mount.Tree;
using Benji.Store.Images;
using Benji.Store.Model;

namespace Benji.Mount.Session.Handlers;

/// <summary>Makes overlays as files are made, and discards them as files are removed.</summary>
internal sealed class OverlayHandler(HandlerParts parts, IImageDirectory images)
{
    private const uint Exclusive = 0x80; // O_EXCL
    private const uint Truncate = 0x200; // O_TRUNC

    // A close is told to this server after it has returned to the client, whose next call may be this one.
    private static readonly TimeSpan CloseWait = TimeSpan.FromSeconds(2);

    /// <summary>Makes the overlay that a name stands for, <c>version@name.img</c>, and opens it. Whoever cuts it, or must be the
    /// one who makes it, finds zeros, as in any new file; whoever does neither, as <c>touch</c> does, finds the base.</summary>
    public void Create(ref Request request)
    {
        var wanted = request.Body.Take<CreateRequest>();
        var nameBytes = request.Body.TakeName();
        var name = RequestBody.Text(nameBytes);
        var directory = parts.Tree.Current.Find(request.Header.Node);
        var header = request.Header;
        if (nameBytes.Length > FileNames.LengthMax)
        {
            parts.Replies.SendError(header, Errno.NameTooLong);
        }
        else if (parts.IsReadOnly)
        {
            parts.Replies.SendError(header, Errno.ReadOnlyFileSystem);
        }
        else if (directory is null || name is null || !FileNames.TrySplit(name, out var baseName, out var overlay))
        {
            parts.Replies.SendError(header, Errno.NotPermitted);
        }
        else if (directory.Find(baseName) is not { Kind: NodeKind.Version, Entry: { } version })
        {
            parts.Replies.SendError(header, Errno.NotFound);
        }
        else
        {
            parts.Pending.Queue(header, version, token => CreateAsync(header, wanted.Flags, version, overlay, token));
        }
    }

    /// <summary>Discards an overlay that nobody has open.</summary>
    public void Unlink(ref Request request)
    {
        var name = RequestBody.Text(request.Body.TakeName());
        var directory = parts.Tree.Current.Find(request.Header.Node);
        var node = name is null ? null : directory?.Find(name);
        var header = request.Header;
        if (node is null)
        {
            // A former server may have done it without coming to answer.
            Answer(header, (header.Unique & RequestHeader.ResentBit) != 0 ? Errno.None : Errno.NotFound);
        }
        else if (parts.IsReadOnly || node.Kind == NodeKind.Version)
        {
            parts.Replies.SendError(header, Errno.ReadOnlyFileSystem);
        }
        else if (node.Kind != NodeKind.Overlay)
        {
            parts.Replies.SendError(header, Errno.NotPermitted);
        }
        else
        {
            parts.Pending.Queue(header, node.Entry, token => DiscardAsync(header, node, token));
        }
    }

    private async ValueTask CreateAsync(
        RequestHeader header, uint flags, ImageEntry version, string overlay, CancellationToken cancellationToken)
    {
        var (entry, isNew) = await MakeOrFindAsync(header, flags, version, overlay, cancellationToken);
        var node = parts.Tree.Add(entry);
        var file = await parts.Files.OpenAsync(node, cancellationToken);
        try
        {
            await PrepareAsync(file, flags, isNew, cancellationToken);
        }
        catch
        {
            await parts.Files.ExitAsync(file);
            if (isNew)
            {
                await TakeBackAsync(node);
            }

            throw;
        }

        parts.Replies.Send(header, new CreateReply
        {
            Entry = parts.Attributes.Entry(node),
            Open = new OpenReply { Handle = node.Id, Flags = FileHandler.FlagsOf(node, wasOpen: false) },
        });
    }

    // A request that is sent again may have been done before, but for its answer.
    private async ValueTask<(ImageEntry Entry, bool IsNew)> MakeOrFindAsync(
        RequestHeader header, uint flags, ImageEntry version, string overlay, CancellationToken cancellationToken)
    {
        var mayExist = (flags & Exclusive) == 0 || (header.Unique & RequestHeader.ResentBit) != 0;
        try
        {
            return (await images.CreateOverlayAsync(version, overlay, cancellationToken), true);
        }
        catch (AlreadyExistsException) when (mayExist)
        {
            if (await images.FindAsync($"{version.Name}@{overlay}", cancellationToken) is { } found)
            {
                return (found, false);
            }

            throw;
        }
    }

    // An overlay that was there before must not lose a byte to a request that asked for a new one.
    private static async ValueTask PrepareAsync(
        OpenFile file, uint flags, bool isNew, CancellationToken cancellationToken)
    {
        if ((flags & Truncate) != 0 || ((flags & Exclusive) != 0 && isNew))
        {
            await file.EmptyAsync(cancellationToken);
        }
        else if ((flags & Exclusive) != 0 && await RangeHandler.FindAsync(file.Image, 0, isMarked: true, cancellationToken) is not null)
        {
            throw new AlreadyExistsException($"There is an overlay {file.Image.Entry.Name} already.");
        }
    }

    private async ValueTask DiscardAsync(RequestHeader header, TreeNode node, CancellationToken cancellationToken)
    {
        if (parts.Files.FindUnclosed(node.Id) is { } file && !await WaitForCloseAsync(file, cancellationToken))
        {
            parts.Replies.SendError(header, Errno.Busy);
            return;
        }

        await RemoveAsync(node, cancellationToken);
        parts.Replies.SendDone(header);
    }

    private async ValueTask TakeBackAsync(TreeNode node)
    {
        try
        {
            await RemoveAsync(node, CancellationToken.None);
        }
        catch (BenjiException failure)
        {
            parts.Errors.OverlayStays(node.Entry!, failure);
        }
    }

    private async ValueTask RemoveAsync(TreeNode node, CancellationToken cancellationToken)
    {
        try
        {
            await images.DiscardOverlayAsync(node.Entry!, cancellationToken);
        }
        finally
        {
            if (await images.FindAsync(node.Entry!.Name, CancellationToken.None) is null)
            {
                parts.Tree.Remove(node.Entry);
                parts.Files.Forget(node);
            }
        }
    }

    private async ValueTask<bool> WaitForCloseAsync(OpenFile file, CancellationToken cancellationToken)
    {
        try
        {
            await file.WhenClosed.WaitAsync(CloseWait, parts.Clock, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private void Answer(in RequestHeader header, int errno)
    {
        if (errno == Errno.None)
        {
            parts.Replies.SendDone(header);
        }
        else
        {
            parts.Replies.SendError(header, errno);
        }
    }
}
