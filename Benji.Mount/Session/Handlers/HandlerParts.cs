using Benji.Mount.Session.Files;
using Benji.Mount.Session.Requests;
using Benji.Mount.Tree;

namespace Benji.Mount.Session.Handlers;

/// <summary>What the handlers of one mount share.</summary>
/// <param name="Tree">Names and nodes.</param>
/// <param name="Files">Images that are open.</param>
/// <param name="Replies">Answers.</param>
/// <param name="Pending">Requests that wait.</param>
/// <param name="Errors">What a client hears of a failure.</param>
/// <param name="Attributes">What stat shows.</param>
/// <param name="Clock">The time.</param>
/// <param name="IsReadOnly">True when overlays cannot be made, written or removed.</param>
internal sealed record HandlerParts(
    ImageTree Tree,
    OpenFiles Files,
    Replies Replies,
    PendingRequests Pending,
    FuseErrors Errors,
    AttributeSource Attributes,
    TimeProvider Clock,
    bool IsReadOnly)
{
    /// <summary>Finds a node that is in the tree, or was when its file was opened; null when there is none.</summary>
    public TreeNode? FindNode(ulong id) => Tree.Current.Find(id) ?? Files.Find(id)?.Node;
}
