using System.Text;
using Benji.Cli.Configuration.Yaml;
using Benji.Store;
using Benji.Store.Model;

namespace Benji.Cli.Configuration;

/// <summary>Reads the key of an encrypted store: a master key, or a password with or without its derivation.</summary>
internal static class KeyReader
{
    /// <summary>Bytes of a master key.</summary>
    private const int MasterKeyLength = 32;

    private const int PasswordLengthMin = 8;
    private const int SaltLengthMin = 8;
    private const int SaltLengthMax = 1024;
    private const int IterationsMin = 1000;
    private const int IterationsMax = 10_000_000;

    /// <summary>Reads the configuration of an <c>aes_256_gcm</c> transform.</summary>
    public static KeyOptions Read(Section section, SecretReader secrets)
    {
        var masterKey = secrets.Find(section, "masterKey");
        var password = secrets.Find(section, "password");
        var salt = section.Text("kdfSalt");
        var iterations = section.Number("kdfIterations", fallback: 0, IterationsMin, IterationsMax);
        if ((masterKey is null) == (password is null))
        {
            throw section.Place.Error(
                $"{section.Name} needs either 'masterKey' or 'password' (also as ...File or ...Command), and not both.");
        }

        if (masterKey is not null)
        {
            return salt is null && iterations == 0
                ? OfMasterKey(masterKey, message => section.Error("masterKey", message))
                : throw section.Error("kdfSalt", "'kdfSalt' and 'kdfIterations' belong to a password, not to a master key.");
        }

        if ((salt is null) != (iterations == 0))
        {
            throw section.Error("kdfSalt", "'kdfSalt' and 'kdfIterations' must be given together, or both left out.");
        }

        var key = OfPassword(password!, message => section.Error("password", message));
        return salt is null ? key : key with { KdfSalt = Salt(section, salt), KdfIterations = checked((int)iterations) };
    }

    /// <summary>Makes the key of the base64 of 32 bytes.</summary>
    public static KeyOptions OfMasterKey(string base64, Func<string, ConfigurationException> error)
    {
        var key = new byte[MasterKeyLength];
        return Convert.TryFromBase64String(base64, key, out var length) && length == MasterKeyLength
            ? new KeyOptions { MasterKey = key }
            : throw error($"a master key is the base64 of exactly {MasterKeyLength} bytes; make one with 'benji key new'.");
    }

    /// <summary>Makes the key of a password.</summary>
    public static KeyOptions OfPassword(string password, Func<string, ConfigurationException> error) =>
        Encoding.UTF8.GetByteCount(password) >= PasswordLengthMin
            ? new KeyOptions { Password = password }
            : throw error($"a password has at least {PasswordLengthMin} bytes.");

    private static byte[] Salt(Section section, string base64)
    {
        var salt = new byte[SaltLengthMax];
        return Convert.TryFromBase64String(base64, salt, out var length) && length >= SaltLengthMin
            ? salt[..length]
            : throw section.Error(
                "kdfSalt", $"'kdfSalt' is the base64 of {SaltLengthMin} to {SaltLengthMax} bytes.");
    }
}
