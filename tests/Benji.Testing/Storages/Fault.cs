using Benji.Store.Model;

namespace Benji.Testing.Storages;

/// <summary>The kinds of calls that a <see cref="FaultyStorage"/> can be told apart by.</summary>
internal enum StorageCallKind
{
    Create,
    Put,
    Add,
    Commit,
    Find,
    Read,
    List,
    Delete,
}

/// <summary>One call as a script sees it.</summary>
/// <param name="Number">Counted from 0 over all calls.</param>
/// <param name="Kind">What is called.</param>
/// <param name="Name">The object, the prefix of a listing, the names of a deletion with spaces between, or empty.</param>
/// <param name="Offset">The first byte of a read.</param>
/// <param name="Length">The bytes of a read.</param>
internal readonly record struct StorageCall(
    long Number, StorageCallKind Kind, string Name, long Offset = 0, long Length = 0)
{
    /// <summary>True when a read covers a byte of its object.</summary>
    public bool Covers(long offset) => Kind == StorageCallKind.Read && Offset <= offset && offset < Offset + Length;
}

/// <summary>What goes wrong with one call; parts can be combined.</summary>
internal sealed record Fault
{
    /// <summary>Nothing.</summary>
    public static Fault None { get; } = new();

    /// <summary>The call waits for this before anything else; complete it to let the call go on.</summary>
    public Task? Gate { get; init; }

    /// <summary>Thrown instead of doing anything.</summary>
    public Exception? Before { get; init; }

    /// <summary>Thrown after the call has had its effect: the answer is lost, not the work.</summary>
    public Exception? After { get; init; }

    /// <summary>Reports success without doing anything: nothing is stored, deleted, found, listed or read.</summary>
    public bool Loses { get; init; }

    /// <summary>Only so many of the bytes are read or stored.</summary>
    public int? ShortTo { get; init; }

    /// <summary>The byte at this place, if there is one, is read or stored with all bits flipped.</summary>
    public int? CorruptAt { get; init; }

    /// <summary>Fails a call for a passing reason.</summary>
    public static Fault Transient() =>
        new() { Before = new StorageException("The test's storage is not available", isTransient: true) };

    /// <summary>Fails a call for good.</summary>
    public static Fault Permanent() =>
        new() { Before = new StorageException("The test's storage is broken", isTransient: false) };

    /// <summary>Lets a call have its effect, then fails it for a passing reason.</summary>
    public static Fault AfterEffect() =>
        new() { After = new StorageException("The test's storage did not answer", isTransient: true) };

    /// <summary>Returns what is stored instead of <paramref name="content"/>.</summary>
    public ReadOnlyMemory<byte> Damage(ReadOnlyMemory<byte> content)
    {
        if (ShortTo is null && CorruptAt is null)
        {
            return content;
        }

        var copy = content.ToArray();
        return copy.AsMemory(0, DamageInPlace(copy));
    }

    /// <summary>Damages what was read and returns how much of it there is.</summary>
    public int DamageInPlace(Span<byte> content)
    {
        if (CorruptAt is { } at && at < content.Length)
        {
            content[at] ^= 0xff;
        }

        return Math.Min(content.Length, ShortTo ?? int.MaxValue);
    }
}
