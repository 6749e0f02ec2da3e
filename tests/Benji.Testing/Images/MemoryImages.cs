using Benji.Store.Model;
using Benji.Store.Sources;

namespace Benji.Testing.Images;

/// <summary>Disks in memory by name, where a store's sources and targets come from in a test.</summary>
public sealed class MemoryImages : ISourceOpener
{
    private readonly Dictionary<string, MemoryImage> _images = [];

    /// <summary>Puts a disk under a name, replacing the one that was there.</summary>
    public MemoryImage Set(string name, byte[] content)
    {
        var image = new MemoryImage(content);
        _images[name] = image;
        return image;
    }

    /// <summary>The disk of a name.</summary>
    public MemoryImage this[string name] => _images[name];

    /// <inheritdoc/>
    public ISource OpenSource(string address) =>
        _images.TryGetValue(address, out var image)
            ? image
            : throw new NotFoundException($"There is no image {address}.");

    /// <inheritdoc/>
    /// <remarks>A name that is there is overwritten in place with force; otherwise a new disk of zeros is made.</remarks>
    public ITarget OpenTarget(string address, long size, bool force)
    {
        if (_images.TryGetValue(address, out var image))
        {
            return force && image.Size >= size
                ? image
                : throw new AlreadyExistsException($"Image {address} exists.");
        }

        image = new MemoryImage(new byte[size]) { IsZeroed = true };
        _images.Add(address, image);
        return image;
    }

    /// <inheritdoc/>
    public string? FindPath(string address) => null;
}
