using System.Security.Cryptography;
using System.Text;
using Benji.Store.Model;

namespace Benji.Store.Transforms;

/// <summary>Turns a password into a 256-bit master key with PBKDF2-HMAC-SHA512.</summary>
/// <remarks>Source: RFC 8018, section 5.2. Slow by design: 65,536 iterations take about 80 ms.</remarks>
internal static class PasswordKey
{
    /// <summary>Bytes in the key.</summary>
    public const int Size = 32;

    /// <summary>The shortest password, in bytes.</summary>
    public const int PasswordBytesMin = 8;

    /// <summary>The shortest salt, in bytes.</summary>
    public const int SaltBytesMin = 8;

    /// <summary>The longest salt, in bytes.</summary>
    public const int SaltBytesMax = 1024;

    /// <summary>The fewest iterations.</summary>
    public const int IterationsMin = 1000;

    /// <summary>The most iterations: about ten seconds. A storage says how many there are, and may lie.</summary>
    public const int IterationsMax = 10_000_000;

    /// <summary>Derives the key from the UTF-8 bytes of a password, as <see cref="Derive(string, ReadOnlySpan{byte}, int)"/>
    /// does, and stops to wait for it when it is told to.</summary>
    /// <remarks>The work itself cannot be stopped: its thread is left to end by itself, or with the process.</remarks>
    public static Task<byte[]> DeriveAsync(
        string password, byte[] salt, int iterations, CancellationToken cancellationToken) =>
        WaitAsync(() => Derive(password, salt, iterations), cancellationToken);

    /// <summary>Waits for work that knows nothing of cancellation.</summary>
    internal static Task<byte[]> WaitAsync(Func<byte[]> work, CancellationToken cancellationToken) =>
        Task.Run(work, cancellationToken).WaitAsync(cancellationToken);

    /// <summary>Derives the key from the UTF-8 bytes of <paramref name="password"/>.</summary>
    /// <exception cref="ConfigurationException">The password, salt or iterations are outside their limits.</exception>
    public static byte[] Derive(string password, ReadOnlySpan<byte> salt, int iterations)
    {
        var bytes = Encoding.UTF8.GetBytes(password);
        try
        {
            return Derive(bytes, salt, iterations);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>Derives the key from the bytes of a password.</summary>
    /// <param name="password">At least 8 bytes; they are used as they are.</param>
    /// <param name="salt">8 to 1024 bytes.</param>
    /// <param name="iterations">1000 to 10,000,000.</param>
    /// <returns>32 bytes that the caller clears after use.</returns>
    /// <exception cref="ConfigurationException">The password, salt or iterations are outside their limits.</exception>
    public static byte[] Derive(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int iterations)
    {
        if (password.Length < PasswordBytesMin)
        {
            throw new ConfigurationException(
                $"The password has {password.Length} bytes, at least {PasswordBytesMin} are needed.");
        }

        if (salt.Length is < SaltBytesMin or > SaltBytesMax)
        {
            throw new ConfigurationException(
                $"kdfSalt has {salt.Length} bytes, {SaltBytesMin} to {SaltBytesMax} are needed.");
        }

        if (iterations is < IterationsMin or > IterationsMax)
        {
            throw new ConfigurationException(
                $"kdfIterations is {iterations}, {IterationsMin} to {IterationsMax} are needed.");
        }

        var key = new byte[Size];
        Rfc2898DeriveBytes.Pbkdf2(password, salt, key, iterations, HashAlgorithmName.SHA512);
        return key;
    }
}
