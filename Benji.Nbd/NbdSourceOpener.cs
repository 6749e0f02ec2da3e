using Benji.Nbd.Client;
using Benji.Store.Model;
using Benji.Store.Sources;

namespace Benji.Nbd;

/// <summary>Opens exports of NBD servers as sources and targets, and lets another opener open all other addresses.</summary>
/// <param name="others">Opens what is no NBD address.</param>
/// <param name="time">The clock.</param>
public sealed class NbdSourceOpener(ISourceOpener others, TimeProvider time) : ISourceOpener
{
    /// <inheritdoc/>
    public ISource OpenSource(string address) => Find(address) is { } export
        ? NbdSource.Open(export, time)
        : others.OpenSource(address);

    /// <inheritdoc/>
    /// <remarks>An export holds what others may need, so that it is written to only by force.</remarks>
    public ITarget OpenTarget(string address, long size, bool force)
    {
        if (Find(address) is not { } export)
        {
            return others.OpenTarget(address, size, force);
        }

        return force
            ? NbdTarget.Open(export, size, time)
            : throw new AlreadyExistsException(
                $"{Names.Show(address)} is an export, whose content would be lost; --force writes over it.");
    }

    /// <inheritdoc/>
    public string? FindPath(string address) => Find(address) is null ? others.FindPath(address) : null;

    private static NbdAddress? Find(string address) =>
        NbdAddress.IsScheme(SourceAddress.Parse(address).Scheme) ? NbdAddress.Parse(address) : null;
}
