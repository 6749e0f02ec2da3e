using System.Security.Cryptography;
using Benji.Store.Blocks.Documents;
using Benji.Store.Model;
using Benji.Store.Transforms;

namespace Benji.Store.Blocks.Opening;

/// <summary>Makes the keys of a store from its <c>store.json</c> and the configured key, and says when they do not fit.</summary>
/// <remarks>Format: docs/format.md, "Keys".</remarks>
internal static class StoreSecrets
{
    /// <summary>Iterations of a new store's password where none are configured: a quarter of a second.</summary>
    public const int IterationsDefault = 210_000;

    private const int SaltLength = 32;

    /// <summary>Refuses a key that is two keys or none.</summary>
    /// <exception cref="ConfigurationException">It is.</exception>
    public static void CheckMaterial(StoreOpening opening)
    {
        if (opening.Key is { } key && (key.MasterKey is null) == (key.Password is null))
        {
            throw new ConfigurationException(
                $"The key of storage {opening.Name} needs either a master key or a password, not both.");
        }
    }

    /// <summary>Makes the file of a new store.</summary>
    public static StoreFile NewFile(StoreOpening opening)
    {
        var id = new Guid(RandomNumberGenerator.GetBytes(16));
        var created = opening.Time.GetUtcNow();
        if (opening.Key is not { } key)
        {
            return new StoreFile(
                id, IsEncrypted: false, RandomNumberGenerator.GetBytes(StoreKeys.InputKeySize), Kdf: null, created);
        }

        var kdf = key.Password is null
            ? null
            : new KdfParameters(
                key.Salt ?? RandomNumberGenerator.GetBytes(SaltLength), key.Iterations ?? IterationsDefault);
        return new StoreFile(id, IsEncrypted: true, HashKey: null, kdf, created);
    }

    /// <summary>Derives the keys of a store.</summary>
    /// <exception cref="ConfigurationException">The key is missing, not needed, or does not fit the file.</exception>
    public static async Task<StoreKeys> DeriveAsync(
        StoreOpening opening, StoreFile file, CancellationToken cancellationToken)
    {
        if (!file.IsEncrypted)
        {
            return opening.Key is null
                ? StoreKeys.Plain(file.HashKey, file.Id)
                : throw new ConfigurationException(
                    $"Storage {opening.Name} is not encrypted and never will be, but a key is configured. "
                    + "Remove the key, or use an empty storage.");
        }

        if (opening.Key is not { } key)
        {
            throw new ConfigurationException($"Storage {opening.Name} is encrypted, but no key is configured.");
        }

        if (key.MasterKey is not null)
        {
            return StoreKeys.Encrypted(key.MasterKey, file.Id);
        }

        var master = await DerivePasswordAsync(opening, file, key, cancellationToken);
        try
        {
            return StoreKeys.Encrypted(master, file.Id);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(master);
        }
    }

    /// <summary>Compares the check of the file that was read.</summary>
    /// <exception cref="ConfigurationException">The key is wrong.</exception>
    /// <exception cref="CorruptDataException">The file of a store without encryption was altered.</exception>
    public static void CheckGenuine(StoreOpening opening, StoreFile file, byte[] bytes, StoreKeys keys)
    {
        if (StoreFile.IsGenuine(bytes, keys))
        {
            return;
        }

        if (!file.IsEncrypted)
        {
            throw new CorruptDataException($"The store.json of storage {opening.Name} does not match its check.");
        }

        var which = opening.Key?.Password is null ? "master key" : "password";
        throw new ConfigurationException(
            $"The {which} does not open storage {opening.Name}: it is wrong, or its store.json was altered.");
    }

    private static async Task<byte[]> DerivePasswordAsync(
        StoreOpening opening, StoreFile file, KeyMaterial key, CancellationToken cancellationToken)
    {
        if (file.Kdf is { } kdf
            && ((key.Salt is not null && !key.Salt.AsSpan().SequenceEqual(kdf.Salt))
                || (key.Iterations is not null && key.Iterations != kdf.Iterations)))
        {
            throw new ConfigurationException(
                $"The configured salt or iterations of storage {opening.Name} are not those in its store.json.");
        }

        var salt = file.Kdf?.Salt ?? key.Salt;
        var iterations = file.Kdf?.Iterations ?? key.Iterations;
        return salt is not null && iterations is not null
            ? await PasswordKey.DeriveAsync(key.Password!, salt, iterations.Value, cancellationToken)
            : throw new ConfigurationException(
                $"Storage {opening.Name} was made with a master key, but a password is configured.");
    }
}
