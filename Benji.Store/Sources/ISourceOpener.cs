namespace Benji.Store.Sources;

/// <summary>Turns the addresses that users write into sources and targets.</summary>
public interface ISourceOpener
{
    /// <summary>Opens what a backup reads.</summary>
    /// <exception cref="Model.UsageException">The scheme is not known.</exception>
    /// <exception cref="Model.NotFoundException">There is no such file or device.</exception>
    /// <exception cref="Model.StorageException">It cannot be opened.</exception>
    ISource OpenSource(string address);

    /// <summary>Opens what a restore writes.</summary>
    /// <param name="address">Where to write.</param>
    /// <param name="size">Bytes of the version.</param>
    /// <param name="force">Writes over an existing file or a block device.</param>
    /// <exception cref="Model.UsageException">The scheme is not known, or the device is too small.</exception>
    /// <exception cref="Model.AlreadyExistsException">It exists and <paramref name="force"/> is false.</exception>
    /// <exception cref="Model.InUseException">It is a device that is mounted or used, whatever the flags.</exception>
    /// <exception cref="Model.StorageException">It cannot be opened or sized.</exception>
    ITarget OpenTarget(string address, long size, bool force);

    /// <summary>Returns the path of the file or device that an address stands for; null when it stands for neither.</summary>
    /// <exception cref="Model.UsageException">The scheme is not known, or there is no path.</exception>
    string? FindPath(string address);
}
