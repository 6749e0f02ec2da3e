using System.Globalization;
using System.Security.Cryptography;

namespace Benji.Testing;

/// <summary>Runs a random test from a fresh seed and, when it fails, says how to replay it.</summary>
/// <remarks><c>BENJI_TEST_SEED</c> replaces the fresh seed.</remarks>
public static class Seeded
{
    /// <summary>The environment variable that replays a seed.</summary>
    public const string Variable = "BENJI_TEST_SEED";

    /// <summary>Runs <paramref name="body"/> once.</summary>
    /// <exception cref="SeededFailureException">The body failed; the message names the seed.</exception>
    public static void Run(Action<Random> body)
    {
        var seed = Choose();
        try
        {
            body(new Random(seed));
        }
        catch (Exception cause)
        {
            throw new SeededFailureException(seed, cause);
        }
    }

    /// <summary>Runs <paramref name="body"/> once and awaits it.</summary>
    /// <exception cref="SeededFailureException">The body failed; the message names the seed.</exception>
    public static async Task RunAsync(Func<Random, Task> body)
    {
        var seed = Choose();
        try
        {
            await body(new Random(seed));
        }
        catch (Exception cause)
        {
            throw new SeededFailureException(seed, cause);
        }
    }

    private static int Choose()
    {
        var given = Environment.GetEnvironmentVariable(Variable);
        return string.IsNullOrEmpty(given)
            ? RandomNumberGenerator.GetInt32(int.MaxValue)
            : int.Parse(given, CultureInfo.InvariantCulture);
    }
}

/// <summary>Says which seed made a random test fail.</summary>
public sealed class SeededFailureException(int seed, Exception cause)
    : Exception($"Replay with {Seeded.Variable}={seed}. {cause.GetType().Name}: {cause.Message}", cause);
