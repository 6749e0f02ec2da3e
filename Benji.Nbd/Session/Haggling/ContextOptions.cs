using Benji.Nbd.Protocol;
using Benji.Nbd.Session.Exports;

namespace Benji.Nbd.Session.Haggling;

/// <summary>Answers LIST_META_CONTEXT and SET_META_CONTEXT, and holds what was chosen.</summary>
/// <remarks>proto.md, "Metadata querying" and the two options.</remarks>
/// <param name="exports">The exports.</param>
internal sealed class ContextOptions(ExportDirectory exports)
{
    /// <summary>Contexts that one client may choose; each is one chunk of every block status.</summary>
    public const int ChosenMax = 16;

    private string _export = "";
    private List<MetadataContext> _chosen = [];

    /// <summary>The contexts that hold for an export: those chosen last, when they were chosen for it.</summary>
    public IReadOnlyList<MetadataContext> ChosenFor(string export) => export == _export ? _chosen : [];

    /// <summary>Forgets what was chosen.</summary>
    public void Forget() => _chosen = [];

    /// <summary>Answers LIST_META_CONTEXT.</summary>
    public async Task ListAsync(ContextRequest request, OptionReplies replies, CancellationToken cancellationToken)
    {
        if (await exports.FindAsync(request.Name, mayCreate: true, cancellationToken) is not { } target)
        {
            replies.Refuse(OptionReply.ErrUnknown, $"There is no export {request.Name}.");
            return;
        }

        foreach (var context in await exports.ListContextsAsync(target, cancellationToken))
        {
            if (request.Queries.Count == 0 || request.Queries.Any(query => Matches(query, context)))
            {
                replies.Add(new ContextReply(0, context.Name));
            }
        }

        replies.Acknowledge();
    }

    /// <summary>Answers SET_META_CONTEXT; what was chosen before was forgotten, whatever the answer is.</summary>
    public async Task SetAsync(ContextRequest request, OptionReplies replies, CancellationToken cancellationToken)
    {
        if (await exports.FindAsync(request.Name, mayCreate: true, cancellationToken) is not { } target)
        {
            replies.Refuse(OptionReply.ErrUnknown, $"There is no export {request.Name}.");
            return;
        }

        var chosen = new List<MetadataContext>();
        foreach (var query in request.Queries)
        {
            if (!MetadataContext.TryParse(query, out var context) || chosen.Contains(context))
            {
                continue;
            }

            if (chosen.Count == ChosenMax)
            {
                replies.Refuse(OptionReply.ErrTooBig, $"At most {ChosenMax} metadata contexts can be chosen.");
                return;
            }

            if (await exports.HasContextAsync(target, context, cancellationToken))
            {
                chosen.Add(context);
            }
        }

        for (var i = 0; i < chosen.Count; i++)
        {
            replies.Add(new ContextReply(IdOf(i), chosen[i].Name));
        }

        replies.Acknowledge();
        (_export, _chosen) = (request.Name, chosen);
    }

    /// <summary>The number of the context at an index; 0 is none, so that a client that guesses is found out.</summary>
    public static uint IdOf(int index) => (uint)index + 1;

    // An exact name matches also when it is beyond the listed ones, but then it is not listed: proto.md allows that.
    private static bool Matches(string query, MetadataContext context) => query switch
    {
        MetadataContext.BaseNamespace => context.Kind == ContextKind.Allocation,
        MetadataContext.OwnNamespace => context.Kind != ContextKind.Allocation,
        MetadataContext.ChangesPrefix => context.Kind == ContextKind.Changes,
        _ => query == context.Name,
    };
}
