using Benji.Store.Model;
using Benji.Store.Storages;

namespace Benji.Store.Blocks.Sealing;

/// <summary>Reads small objects whole.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
internal static class ObjectReader
{
    private const int LengthGuess = 16 * 1024;

    /// <summary>Reads an object of at most <paramref name="lengthMax"/> bytes.</summary>
    /// <returns>Its bytes, which the caller disposes, or null when there is no such object.</returns>
    /// <exception cref="CorruptDataException">It is longer.</exception>
    /// <exception cref="StorageException">It could not be read.</exception>
    public static async ValueTask<BlockBuffer?> FindAsync(
        IStorage storage, ObjectName name, int lengthMax, BlockBufferPool pool, CancellationToken cancellationToken)
    {
        // One byte more than there may be tells a longer object apart; most objects fit the guess.
        var bound = Math.Min(LengthGuess, lengthMax + 1);
        while (true)
        {
            var buffer = pool.Rent(bound);
            try
            {
                var length = await storage.ReadAsync(name, 0, buffer.Memory, cancellationToken);
                if (length < bound)
                {
                    buffer.Resize(length);
                    return buffer;
                }
            }
            catch (NotFoundException)
            {
                buffer.Dispose();
                return null;
            }
            catch
            {
                buffer.Dispose();
                throw;
            }

            buffer.Dispose();
            if (bound > lengthMax)
            {
                throw new CorruptDataException($"Object {name} has more than {lengthMax} bytes.");
            }

            bound = lengthMax + 1;
        }
    }
}
