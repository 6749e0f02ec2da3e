using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Benji.Store.Model;

/// <summary>States what must be true wherever the program is right; a failure is a bug, never bad input.</summary>
public static class Invariant
{
    /// <summary>Throws in every build when <paramref name="condition"/> is false.</summary>
    /// <exception cref="InvariantException">The condition does not hold.</exception>
    public static void Holds(
        [DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string? expression = null)
    {
        if (!condition)
        {
            throw new InvariantException($"Broken invariant: {expression}");
        }
    }
}

/// <summary>Says that the program itself is wrong; nothing below a process or connection boundary catches it.</summary>
public sealed class InvariantException(string message) : Exception(message);
