using System.Buffers;
using Benji.Store.Model;

namespace Benji.Store.Sources;

/// <summary>An address as users write it, cut into its scheme and the rest: <c>file:PATH</c>, or a bare path.</summary>
/// <param name="Scheme">The name of an <c>ios</c> entry; null for a bare path.</param>
/// <param name="Rest">What follows the scheme's colon, or the bare path. Not empty.</param>
public readonly record struct SourceAddress(string? Scheme, string Rest)
{
    private static readonly SearchValues<char> SchemeCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-");

    /// <summary>The path that the rest stands for, where the scheme is one of files: <c>///PATH</c> is <c>/PATH</c>.</summary>
    /// <exception cref="UsageException">It names a host, or no path.</exception>
    public string Path
    {
        get
        {
            var path = Scheme is not null && Rest.StartsWith("//", StringComparison.Ordinal) ? Rest[2..] : Rest;
            if (path.Length < Rest.Length && !path.StartsWith('/'))
            {
                throw new UsageException(
                    $"Address {Names.Show(ToString())} names a host: write {Scheme}:PATH or {Scheme}:///PATH.");
            }

            return path;
        }
    }

    /// <summary>Cuts an address at its first colon, when what stands before it can be a scheme.</summary>
    /// <remarks>A path whose first part has a colon is written with <c>./</c> before it, or with its scheme.</remarks>
    /// <exception cref="UsageException">The address or what follows the scheme is empty, holds a zero byte, or is the
    /// <c>-</c> of a pipe.</exception>
    public static SourceAddress Parse(string address)
    {
        var colon = address.IndexOf(':', StringComparison.Ordinal);
        var isScheme = colon > 0 && !address.AsSpan(0, colon).ContainsAnyExcept(SchemeCharacters)
            && address[0] is not ('.' or '-');
        var rest = isScheme ? address[(colon + 1)..] : address;
        if (address.Contains('\0', StringComparison.Ordinal) || (rest.Length == 0 && !isScheme))
        {
            throw new UsageException($"Address {Names.Show(address)} is empty or holds a zero byte.");
        }

        if (rest == "-")
        {
            throw new UsageException(
                $"Address {Names.Show(address)} would be a pipe, and pipes are not supported: a source is read, and a target "
                + "written, at any place. Write ./- for a file of that name.");
        }

        return new SourceAddress(isScheme ? address[..colon] : null, rest);
    }

    /// <summary>Returns the address as it was written.</summary>
    public override string ToString() => Scheme is null ? Rest : $"{Scheme}:{Rest}";
}
