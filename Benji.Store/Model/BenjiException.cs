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

/// <summary>Says that a storage, source or target failed to read or write.</summary>
public sealed class StorageException(string message, bool isTransient, Exception? inner = null)
    : BenjiException(message, inner)
{
    /// <summary>True when the same call may succeed if repeated.</summary>
    public bool IsTransient { get; } = isTransient;
}

/// <summary>Says that another run holds what this one needs.</summary>
public sealed class InUseException(string message, Exception? inner = null) : BenjiException(message, inner);

/// <summary>Says that a rule forbids it: protected, too young, or needing <c>--force</c>.</summary>
public sealed class NotAllowedException(string message, Exception? inner = null) : BenjiException(message, inner);

/// <summary>Says that the configuration, a key or the format of a store does not fit.</summary>
public sealed class ConfigurationException(string message, Exception? inner = null) : BenjiException(message, inner);

/// <summary>Says that a lease was superseded: what this run was about to publish must not be.</summary>
public sealed class LeaseLostException(string message, Exception? inner = null) : BenjiException(message, inner);

/// <summary>Says that the catalog could not be read or a commit's outcome is unknown.</summary>
public sealed class CatalogException(string message, Exception? inner = null) : BenjiException(message, inner);
