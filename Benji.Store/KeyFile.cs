using System.Buffers.Text;
using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Store.Posix;

namespace Benji.Store;

/// <summary>Makes files that hold a master key: 32 random bytes in base64 and a line feed.</summary>
public static class KeyFile
{
    private const int KeySize = 32;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>Says what makes the secret in a file known to others than this user and root, and what to do; null when nothing
    /// does, or it is no file.</summary>
    /// <exception cref="IOException">It cannot be looked up.</exception>
    public static string? FindExposure(string path)
    {
        if (FileStatus.Find(path, followLink: true) is not { Kind: FileKind.Regular } file)
        {
            return null;
        }

        var user = LibC.EffectiveUser();
        if (file.Owner != 0 && file.Owner != user)
        {
            return $"{path} holds a secret and belongs to user {file.Owner}, who may read it and put another one there: "
                + $"chown {user} {path} && chmod 600 {path}";
        }

        return (file.Mode & Others) == 0
            ? null
            : $"{path} holds a secret, and others than its owner may read or write it (mode "
                + $"{Convert.ToString((int)file.Mode, 8).PadLeft(4, '0')}): chmod 600 {path}";
    }

    /// <summary>Makes a key file for its owner only (mode 0600); durable when it returns.</summary>
    /// <exception cref="AlreadyExistsException">Something has the name already; it is unchanged.</exception>
    /// <exception cref="NotFoundException">Its directory does not exist.</exception>
    /// <exception cref="StorageException">It could not be written.</exception>
    public static void Create(string path)
    {
        var key = RandomNumberGenerator.GetBytes(KeySize);
        var content = new byte[Base64.GetMaxEncodedToUtf8Length(KeySize) + 1];
        Base64.EncodeToUtf8(key, content, out _, out _);
        content[^1] = (byte)'\n';
        try
        {
            if (!DurableFile.TryCreate(path, content))
            {
                throw new AlreadyExistsException(
                    $"{path} exists already. A key is never written over: take another name.");
            }
        }
        catch (PosixException exception) when (exception.Errno == Errno.NotFound)
        {
            throw new NotFoundException($"Could not make key file {path}: there is no such directory.", exception);
        }
        catch (PosixException exception)
        {
            throw new StorageException($"Could not make key file {path}: {exception.Message}", isTransient: false, exception);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
            CryptographicOperations.ZeroMemory(content);
        }
    }
}
