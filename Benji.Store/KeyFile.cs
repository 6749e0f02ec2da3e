using System.Buffers.Text;
using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Store.Posix;

namespace Benji.Store;

/// <summary>Makes files that hold a master key: 32 random bytes in base64 and a line feed.</summary>
public static class KeyFile
{
    private const int KeySize = 32;

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
