namespace Benji.Store.Model;

/// <summary>The root of every failure that a user can be told about in one line.</summary>
/// <remarks>The message says what was being done, to what, with which numbers and, where there is one, what to do next.</remarks>
public abstract class BenjiException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Says that a name, an option or their combination is not valid.</summary>
public sealed class UsageException(string message, Exception? inner = null) : BenjiException(message, inner);

/// <summary>Says that something named does not exist.</summary>
public sealed class NotFoundException(string message, Exception? inner = null) : BenjiException(message, inner);

/// <summary>Says that something is in the way: a name or file that exists already.</summary>
public sealed class AlreadyExistsException(string message, Exception? inner = null) : BenjiException(message, inner);

/// <summary>Says that an input (change hints, an imported file) contradicts what it describes.</summary>
public sealed class InputDataException(string message, Exception? inner = null) : BenjiException(message, inner);

/// <summary>Says that stored bytes are not what was stored: they do not parse, authenticate or match their name.</summary>
public sealed class CorruptDataException(string message, Exception? inner = null) : BenjiException(message, inner);

/// <summary>Says that bytes of an image cannot be read because what stands for them in the storage is damaged or missing.</summary>
/// <param name="message">Names the image and the block.</param>
/// <param name="offset">The first damaged byte that was found.</param>
/// <param name="inner">What was found.</param>
public sealed class DamagedImageException(string message, long offset, Exception? inner = null)
    : BenjiException(message, inner)
{
    /// <summary>The first damaged byte that was found, counted from the start of the image.</summary>
    public long Offset { get; } = offset;
}

/// <summary>Says that the disk under an overlay is full.</summary>
public sealed class NoSpaceException(string message, Exception? inner = null) : BenjiException(message, inner);

/// <summary>Says that something cannot be changed here, because its place can only be read.</summary>
public sealed class ReadOnlyException(string message, Exception? inner = null) : BenjiException(message, inner);

/// <summary>Says that a storage, source or target failed to read or write.</summary>
public sealed class StorageException(string message, bool isTransient, Exception? inner = null)
    : BenjiException(message, inner)
{
    /// <summary>True when the same call may succeed if repeated.</summary>
    public bool IsTransient { get; } = isTransient;

    /// <summary>True when the place gave the object and could not read its bytes (EIO): the object is damaged, unless it is the
    /// place that fails.</summary>
    public bool IsUnreadable { get; init; }
}

/// <summary>Says that another run holds what this one needs.</summary>
public sealed class InUseException(string message, Exception? inner = null) : BenjiException(message, inner);

/// <summary>Says that a rule forbids it: protected, too young, or needing <c>--force</c>.</summary>
public sealed class NotAllowedException(string message, Exception? inner = null) : BenjiException(message, inner);

/// <summary>Says that the configuration, a key or the format of a store does not fit.</summary>
public sealed class ConfigurationException(string message, Exception? inner = null) : BenjiException(message, inner);

/// <summary>Says that a catalog and a storage are not of the same age, or that another catalog works on the storage.</summary>
public sealed class AgeMismatchException(string message, Exception? inner = null) : BenjiException(message, inner);

/// <summary>Says that a lease was superseded: what this run was about to publish must not be.</summary>
public sealed class LeaseLostException(string message, Exception? inner = null) : BenjiException(message, inner);

/// <summary>Says that the catalog could not be read or a commit's outcome is unknown.</summary>
public sealed class CatalogException(string message, Exception? inner = null) : BenjiException(message, inner)
{
    /// <summary>True when its disk is full: nothing is wrong with what it holds.</summary>
    public bool IsDiskFull { get; init; }

    /// <summary>True when the disk gave the catalog's bytes and they make no sense: a rebuild makes them anew.</summary>
    public bool IsDamage { get; init; }
}
