namespace Benji.Store.Operations;

/// <summary>Where a long operation says how far it is.</summary>
/// <remarks>Called from several threads at once; cheap, never throws.</remarks>
public interface IOperationProgress
{
    /// <summary>Begins a stage, ending the one before.</summary>
    /// <param name="name">What it does, one or two words: "reading", "verifying".</param>
    /// <param name="total">Units in all, or null when that is not known.</param>
    /// <param name="unit">Whether units are bytes or things.</param>
    void StartStage(string name, long? total, ProgressUnit unit);

    /// <summary>Counts units of the stage that are done.</summary>
    void Advance(long units);
}

/// <summary>What the units of a stage are.</summary>
public enum ProgressUnit
{
    /// <summary>Bytes of plaintext.</summary>
    Bytes,

    /// <summary>Objects, versions or blocks.</summary>
    Items,
}

/// <summary>A progress that nobody watches.</summary>
public sealed class NoProgress : IOperationProgress
{
    /// <summary>The one instance: it has no state.</summary>
    public static NoProgress Instance { get; } = new();

    /// <inheritdoc/>
    public void StartStage(string name, long? total, ProgressUnit unit)
    {
    }

    /// <inheritdoc/>
    public void Advance(long units)
    {
    }
}
