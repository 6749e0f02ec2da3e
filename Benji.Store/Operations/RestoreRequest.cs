using Benji.Store.Model;

namespace Benji.Store.Operations;

/// <summary>What a restore is asked to do.</summary>
public sealed record RestoreRequest
{
    /// <summary>The version as the user named it.</summary>
    public required string Version { get; init; }

    /// <summary>The target's address, <c>file:PATH</c> or a bare path.</summary>
    public required string Target { get; init; }

    /// <summary>Leaves holes unwritten, whatever the target holds there.</summary>
    public bool IsSparse { get; init; }

    /// <summary>Writes over an existing file or a block device.</summary>
    public bool Force { get; init; }
}

/// <summary>What a restore did.</summary>
/// <param name="Version">The version.</param>
/// <param name="BytesWritten">Plaintext bytes written.</param>
/// <param name="BytesHole">Bytes that are holes.</param>
/// <param name="Damage">Ranges that could not be restored and were written as zeros, in order; empty when all is right.</param>
/// <param name="Duration">Wall-clock time.</param>
public sealed record RestoreResult(
    VersionRecord Version, long BytesWritten, long BytesHole, IReadOnlyList<Damage> Damage, TimeSpan Duration);

/// <summary>A range of a version whose stored bytes are damaged or missing.</summary>
/// <param name="Offset">Its first byte in the version.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Block">The block it lies in.</param>
/// <param name="Reason">What is wrong, in one line.</param>
public sealed record Damage(long Offset, long Length, BlockId Block, string Reason);
